import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { AwsCli } from '../ecs-definitions/aws-cli.ts'

/**
 * Runs `aws SERVICE OPERATION --cli-input-json …`, as people do with the written files; the CLI looks at the input before
 * it sends it. @returns what it printed. @throws Error with what it complained of
 */
export type AwsCommand = <T = unknown>(service: string, operation: string, input: object) => Promise<T>

/** The AWS CLI for one endpoint. Inputs hold secrets: they go by a file that only its owner reads. */
export function awsCommand({ run }: AwsCli, endpoint: string): AwsCommand {
  return async <T>(service: string, operation: string, input: object) => {
    const directory = mkdtempSync(path.join(tmpdir(), 'kodus-aws-'))
    try {
      const file = path.join(directory, 'input.json')
      writeFileSync(file, JSON.stringify(input), { mode: 0o600 })
      const args = [service, operation, '--cli-input-json', `file://${file}`, '--output', 'json']
      const { exitCode, stdout, stderr } = await run(args, endpoint)
      if (exitCode !== 0) throw new Error(`aws ${service} ${operation} ended with ${exitCode}: ${stderr}`)
      return JSON.parse(stdout || '{}') as T
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }
}
