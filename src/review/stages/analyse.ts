import { setImmediate } from 'node:timers/promises'
import { notesByReason } from '../name-paths.ts'
import { runCustomRules } from '../rules/custom-rules.ts'
import { findSecrets } from '../rules/find-secrets.ts'
import { analysedByRules, reasonNotToAnalyse, runRules } from '../rules/run-rules.ts'
import { proceed, type Stage, skip } from '../stage.ts'

/** Runs the AST rules, the secret scan and the repository's own rules over the lines that the change touched. */
export const analyse: Stage = {
  name: 'analyse',
  async run(draft, ports) {
    if (draft.files.length === 0) return skip('no file has new lines to analyse')
    const left: { path: string; reason: string }[] = []
    for (const file of draft.files) {
      ports.signal.throwIfAborted()
      const reason = reasonNotToAnalyse(file)
      if (reason) left.push({ path: file.path, reason: `not analysed: ${reason}` })
      if (reason || !analysedByRules(file.path)) draft.readByNoRule.push(file.path)
      draft.findings.push(...(await runRules(file)), ...(await findSecrets(file)))
      // Parsing is synchronous: let the lease's renewal and other jobs have their turn.
      await setImmediate()
    }
    const custom = await runCustomRules(draft.config.customRules, draft.files, ports.signal)
    draft.findings.push(...custom.findings)
    draft.notes.push(...notesByReason(left), ...custom.notes)
    return proceed
  },
}
