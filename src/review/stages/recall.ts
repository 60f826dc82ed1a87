import { isRetargeted } from '../earlier/is-retargeted.ts'
import { finish, proceed, type Stage } from '../stage.ts'

/**
 * Remembers what was said about this pull request. What was reviewed is not reviewed again: reopening a pull
 * request costs nothing.
 */
export const recall: Stage = {
  name: 'recall',
  async run(draft, ports) {
    draft.earlier = await ports.recall()
    const last = draft.earlier.last?.review
    const { head, baseBranch, force, recount } = draft.request
    if (!last || force || recount) return proceed
    if (last.head !== head || isRetargeted(last.baseBranch, baseBranch)) return proceed
    return finish(`already reviewed at ${head.slice(0, 12)}`, null)
  },
}
