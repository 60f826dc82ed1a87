import { proceed, type Stage } from '../stage.ts'

/** Opens the change: what the head adds to the base, and the files on both sides. */
export const gatherChange: Stage = {
  name: 'gather-change',
  async run(draft, ports) {
    draft.source = await ports.forge.reader.open(draft.request, ports.signal)
    return proceed
  },
}
