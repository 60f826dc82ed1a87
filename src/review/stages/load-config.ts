import { reasonToLeaveAlone } from '../config/leave-alone.ts'
import { sourceOf } from '../draft.ts'
import { CONFIG_FILE, parseReviewConfig } from '../review-config.ts'
import { checkCustomRules } from '../rules/custom-rules.ts'
import { codeSpan, safeText } from '../safe-text.ts'
import { finish, proceed, type Stage, type StageOutcome, skip } from '../stage.ts'

/**
 * Reads the repository's configuration, from the base: a pull request cannot loosen its own review. Ends the
 * pipeline where it says that nobody wants this one reviewed, unless somebody has asked for it.
 */
export const loadConfig: Stage = {
  name: 'load-config',
  async run(draft, ports) {
    const text = await sourceOf(draft).readFile('base', CONFIG_FILE)
    const { config, problems } = parseReviewConfig(text ?? '')
    draft.config = config
    const reason = reasonToLeaveAlone(draft.request, config)
    if (reason) return leave(reason, problems)
    if (text === undefined) {
      return skip(`the base has no ${CONFIG_FILE} that is text of at most 1 MiB; defaults apply`)
    }
    if (config.customRules.length > 0) {
      const { usable, problems: refused } = await checkCustomRules(config.customRules, ports.signal)
      draft.config = { ...config, customRules: usable }
      problems.push(...refused)
    }
    for (const problem of problems) draft.notes.push({ about: CONFIG_FILE, reason: problem })
    return proceed
  },
}

function leave(reason: string, problems: readonly string[]): StageOutcome {
  const said = problems.map((problem) => `- ${codeSpan(CONFIG_FILE)}: ${safeText(problem)}`)
  const ask = 'To have it reviewed all the same, write `@kody review` as a comment.'
  return finish(`not reviewed: ${reason}`, {
    conclusion: 'neutral',
    title: `Not reviewed: ${reason}`,
    summary: [
      `${safeText(`Not reviewed: ${reason}.`)} ${ask}`,
      ...(said.length > 0 ? [said.join('\n')] : []),
    ].join('\n\n'),
  })
}
