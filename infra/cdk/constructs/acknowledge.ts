import { Validations } from 'aws-cdk-lib'
import type { IConstruct } from 'constructs'

/** Findings of the rules that are accepted here, each with the reason. */
export function acknowledge(scope: IConstruct, reasons: Readonly<Record<string, string>>): void {
  for (const [id, reason] of Object.entries(reasons)) Validations.of(scope).acknowledge({ id, reason })
}
