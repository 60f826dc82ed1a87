import { changeOf } from '../draft.ts'
import { type ModelReview, reviewWithModel } from '../model/review-with-model.ts'
import { proceed, type Stage, skip } from '../stage.ts'

/** Raise it when the shape or the meaning of the checkpoint changes. */
const VERSION = 2

/** A branch that a request names may move between two attempts: an answer is about the commits it was asked of. */
interface Checkpoint {
  mergeBase: string
  head: string
  answer: ModelReview
}

/**
 * Asks the model for what rules cannot see. Its answer is checkpointed: a second attempt at the same commits
 * does not pay for it again. A failing endpoint fails the attempt; it never passes for "nothing found".
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
    const change = changeOf(draft)
    const { mergeBase, head } = change
    const earlier = (await loadCheckpoint(this.name, VERSION)) as Checkpoint | undefined
    let answer = earlier?.mergeBase === mergeBase && earlier.head === head ? earlier.answer : undefined
    if (!answer) {
      const files = [...draft.files, ...draft.deletions.map((path) => ({ path, text: '' }))]
      answer = await reviewWithModel({ model, change, files, known: draft.findings, signal })
      await saveCheckpoint(this.name, VERSION, { mergeBase, head, answer } satisfies Checkpoint)
    }
    draft.findings.push(...answer.findings)
    draft.notes.push(...answer.notes)
    draft.model = answer.use
    return proceed
  },
}
