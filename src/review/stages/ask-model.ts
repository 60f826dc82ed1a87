import { createHash } from 'node:crypto'
import { changeOf, type Draft } from '../draft.ts'
import { type ModelReview, reviewWithModel } from '../model/review-with-model.ts'
import { wantsModel } from '../model/wishes.ts'
import { proceed, type Stage, type StageOutcome, skip } from '../stage.ts'

/** Raise it when the shape or the meaning of the checkpoint changes. */
const VERSION = 3

interface Checkpoint {
  /** What was asked, as `fingerprint` tells it. */
  asked: string
  answer: ModelReview
}

/**
 * Asks the model for what rules cannot see. Its answer is checkpointed: a second attempt that would ask the
 * same does not pay for it again. A failing endpoint fails the attempt; it never passes for "nothing found".
 */
export const askModel: Stage = {
  name: 'ask-model',
  async run(draft, { model, signal, loadCheckpoint, saveCheckpoint }) {
    const { config, files } = draft
    if (!model) return unasked(draft, 'no model is configured (LLM_BASE_URL and LLM_MODEL)')
    if (files.length === 0) return unasked(draft, 'no file has new lines to review')
    if (!wantsModel(config)) return unasked(draft, 'reviewOptions switches off all that a model looks for')

    const asked = fingerprint(draft)
    const earlier = (await loadCheckpoint(this.name, VERSION)) as Checkpoint | undefined
    let answer = earlier?.asked === asked ? earlier.answer : undefined
    if (!answer) {
      const shown = [...files, ...draft.deletions.map((path) => ({ path, text: '' }))]
      const change = changeOf(draft)
      answer = await reviewWithModel({
        model,
        change,
        files: shown,
        known: draft.findings,
        wishes: config,
        signal,
      })
      await saveCheckpoint(this.name, VERSION, { asked, answer } satisfies Checkpoint)
    }
    draft.findings.push(...answer.findings)
    draft.notes.push(...answer.notes)
    draft.unreadByModel.push(...answer.unread)
    draft.model = answer.use
    return proceed
  },
}

function unasked(draft: Draft, reason: string): StageOutcome {
  draft.model = { used: false, reason }
  draft.unreadByModel.push(...draft.files.map((file) => file.path))
  return skip(reason)
}

/**
 * A branch that a request names, the configuration on it, and what earlier reviews have read may change between
 * two attempts: an answer is about the lines it was asked of, and about what was asked of them.
 */
function fingerprint(draft: Draft): string {
  const { mergeBase, head } = changeOf(draft)
  const { language, reviewOptions, instructions } = draft.config
  const lines = draft.files.map(({ path, touched }) => [path, [...touched]])
  const asked = [mergeBase, head, lines, draft.deletions, language, reviewOptions, instructions]
  return createHash('sha256').update(JSON.stringify(asked)).digest('hex')
}
