import { changeOf } from '../draft.ts'
import { askModel as ask } from '../model/ask-model.ts'
import { proceed, type Stage, skip } from '../stage.ts'

type Answer = Awaited<ReturnType<typeof ask>>

/** Raise it when the shape or the meaning of the checkpoint changes. */
const VERSION = 1

/**
 * Asks the model for what rules cannot see. Its answer is checkpointed: a second attempt does not pay for
 * it again. A failing endpoint fails the attempt; it never passes for "nothing found".
 */
export const askModel: Stage = {
  name: 'ask-model',
  async run(draft, { model, signal, loadCheckpoint, saveCheckpoint }) {
    if (!model) {
      draft.model = { used: false, reason: 'no model is configured (LLM_BASE_URL and LLM_MODEL)' }
      return skip(draft.model.reason)
    }
    if (draft.files.length === 0) {
      draft.model = { used: false, reason: 'no file has new lines to review' }
      return skip(draft.model.reason)
    }
    const earlier = (await loadCheckpoint(this.name, VERSION)) as Answer | undefined
    const answer =
      earlier ??
      (await ask({ model, change: changeOf(draft), files: draft.files, known: draft.findings, signal }))
    if (!earlier) await saveCheckpoint(this.name, VERSION, answer)
    draft.findings.push(...answer.findings)
    draft.notes.push(...answer.notes)
    draft.model = answer.use
    return proceed
  },
}
