import * as v from 'valibot'
import { KodusError, messageOf } from '../errors.ts'

/** The agent allows ECS 4 s, and whoever asks it 5. */
const ANSWER_WITHIN_MS = 6_000

/** What the agent answers: one of the three, whatever the status. Spelled as in its documentation. */
const answerSchema = v.union([
  v.object({ protection: v.object({ ProtectionEnabled: v.boolean() }) }),
  v.object({ failure: v.object({ Reason: v.string(), Detail: v.nullish(v.string()) }) }),
  v.object({ error: v.object({ Code: v.string(), Message: v.string() }) }),
])

const UNREACHABLE = {
  code: 'TASK_PROTECTION_UNREACHABLE',
  help: 'The agent does not reach ECS: look at the NAT gateway, or at the VPC endpoint of ecs.',
}

/** Ours, for a failure's Reason or an error's Code. */
const REFUSALS: Readonly<Record<string, { code: string; help: string }>> = {
  DEPLOYMENT_BLOCKED: {
    code: 'TASK_PROTECTION_BLOCKED',
    help: 'As many tasks of the service are protected as it should have, while a deployment or a scale-in waits for some to end. Nothing is to be done.',
  },
  TASK_NOT_VALID: {
    code: 'TASK_PROTECTION_NO_SERVICE',
    help: 'Only tasks of a service can be protected: one that was started alone goes on without.',
  },
  AccessDeniedException: {
    code: 'TASK_PROTECTION_DENIED',
    help: "Allow the task's role (not the execution role) ecs:UpdateTaskProtection.",
  },
  ThrottlingException: {
    code: 'TASK_PROTECTION_THROTTLED',
    help: 'ECS is asked too often in this account and region. It is asked again a little later.',
  },
  RequestCanceled: UNREACHABLE,
  RequestError: UNREACHABLE,
  RequestTimeout: UNREACHABLE,
}

/**
 * Asks the ECS agent to protect the task that this process runs in from scale-in and deployments, or to do so no more.
 *
 * @param agentUri ECS_AGENT_URI, as ECS sets it
 * @param minutes 1 to 2,880, after which ECS lifts the protection by itself; 0 lifts it now
 * @throws KodusError TASK_PROTECTION_… within 6 s; the code is from a small, closed set
 */
export async function setTaskProtection(agentUri: string, minutes: number): Promise<void> {
  const wanted = minutes > 0
  const body = wanted ? { ProtectionEnabled: true, ExpiresInMinutes: minutes } : { ProtectionEnabled: false }
  const answer = await put(`${agentUri}/task-protection/v1/state`, JSON.stringify(body))
  const { output, success } = v.safeParse(answerSchema, answer)
  if (!success) throw unanswered('what it says is no answer')
  if ('failure' in output) throw refused(output.failure.Reason, output.failure.Detail)
  if ('error' in output) throw refused(output.error.Code, output.error.Message)
  if (output.protection.ProtectionEnabled !== wanted) throw refused('the opposite', undefined)
}

/** Errors come with 400 to 504 and a body that says more: the status alone tells nothing. */
async function put(url: string, body: string): Promise<unknown> {
  let status: number | undefined
  try {
    const response = await fetch(url, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    })
    status = response.status
    return await response.json()
  } catch (error) {
    throw unanswered(status === undefined ? causeOf(error) : `HTTP ${status}, ${causeOf(error)}`)
  }
}

function refused(reason: string, detail: string | null | undefined): KodusError {
  const { code, help } = REFUSALS[reason] ?? {
    code: 'TASK_PROTECTION_REFUSED',
    help: "Look the reason up among ECS's API failure reasons.",
  }
  const message = `ECS answers ${reason}${detail ? `: ${detail}` : ''}`
  return new KodusError(code, message, { help, retryability: 'transient' })
}

function unanswered(why: string): KodusError {
  return new KodusError('TASK_PROTECTION_UNANSWERED', `the ECS agent does not answer: ${why}`, {
    help: "Look at the ECS agent of this host, or at Fargate's health.",
    retryability: 'transient',
  })
}

/** fetch says "fetch failed", and why in its cause. */
function causeOf(error: unknown): string {
  return messageOf(error instanceof Error && error.cause ? error.cause : error)
}
