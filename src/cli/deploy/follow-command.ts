import { Argument, type Command, InvalidArgumentError, Option } from 'commander'
import { COMPONENTS, type ComponentType } from '../../components.ts'
import { KodusError } from '../../lib/errors.ts'
import { reportFailure } from '../failure.ts'
import { isOutcome } from './explain-outcome.ts'
import type { FollowOptions } from './follow-deployment.ts'
import { createProgress } from './progress.ts'
import { CLUSTER, type EnvironmentName, type Target, targetOf } from './target.ts'

export interface TargetFlags {
  cluster: string
  env: EnvironmentName
  region?: string
  /** Milliseconds. */
  timeout: number
  /** Milliseconds. */
  every: number
}

const TYPES = Object.keys(COMPONENTS) as ComponentType[]
const ENVIRONMENTS: EnvironmentName[] = ['production', 'staging']
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
/** The command did its work, and the answer is no: see EXIT_FAILED. */
const EXIT_NO = 1
/** As a shell says it of a command that Ctrl-C ended. */
const EXIT_INTERRUPTED = 130

/** What `deploy` and `rollback` have in common: which service, where, and how it is followed. */
export function addTargetOptions(command: Command): Command {
  return command
    .addArgument(
      new Argument('<component>', 'whose service').choices(TYPES.map((type) => COMPONENTS[type].name)),
    )
    .option('--cluster <name>', 'the ECS cluster', CLUSTER)
    .addOption(
      new Option('--env <environment>', 'which installation').choices(ENVIRONMENTS).default('production'),
    )
    .option('--region <region>', 'of the cluster; default: AWS_REGION, then the profile’s')
    .addOption(duration('--timeout <time>', 'how long to follow: 90s, 30m, 1h', '30m'))
    .addOption(duration('--every <time>', 'how often to ask ECS', '5s'))
}

/**
 * Runs what follows a deployment. Standard output gets the image, when it runs; the exit code is 0 for success, 1
 * for a deployment that did not succeed, 2 for what could not be done, 130 for one that nobody follows any more.
 */
export async function runFollowed(
  component: string,
  flags: TargetFlags,
  work: (target: Target, options: FollowOptions) => Promise<string>,
): Promise<void> {
  const type = TYPES.find((each) => COMPONENTS[each].name === component)
  if (!type) throw new Error(`no such component: ${component}`)
  const target = targetOf(type, flags.cluster, flags.env)
  const progress = createProgress(process.stderr)
  try {
    console.log(await work(target, { timeoutMs: flags.timeout, everyMs: flags.every, progress }))
  } catch (error) {
    reportFailure(error)
    if (!(error instanceof KodusError)) return
    if (isOutcome(error)) process.exitCode = EXIT_NO
    if (error.code === 'FOLLOWING_ENDED') process.exitCode = EXIT_INTERRUPTED
  }
}

function duration(flags: string, description: string, initial: string): Option {
  const parse = (value: string): number => {
    const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(value) ?? []
    const milliseconds = Number(number) * (UNITS[unit] ?? Number.NaN)
    // A timer takes no more than 2^31 milliseconds.
    if (milliseconds >= 1 && milliseconds < 2 ** 31) return milliseconds
    throw new InvalidArgumentError('Say it as 90s, 30m or 1h.')
  }
  return new Option(flags, description).argParser(parse).default(parse(initial), initial)
}
