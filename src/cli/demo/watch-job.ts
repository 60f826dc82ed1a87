import { KodusError } from '../../lib/errors.ts'

/**
 * Follows a job's event stream (`GET /jobs/:id/events` as `text/event-stream`) until the API ends it,
 * telling each transition and each stage as a line.
 */
export async function watchJob(
  url: string,
  authorization: string,
  tell: (line: string) => void,
): Promise<void> {
  const response = await fetch(url, { headers: { authorization, accept: 'text/event-stream' } })
  if (!response.ok || !response.body) {
    throw new KodusError('EVENTS_UNAVAILABLE', `GET ${url} answered ${response.status}.`, {
      help: 'The job goes on without a watcher; read it at the same address without /events.',
    })
  }
  let buffered = ''
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    buffered += chunk
    const frames = buffered.split('\n\n')
    buffered = frames.pop() ?? ''
    for (const frame of frames) {
      const line = describe(frame)
      if (line) tell(line)
    }
  }
}

function describe(frame: string): string | undefined {
  const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(frame)?.[1]
  const data = JSON.parse(field('data') ?? 'null')
  switch (field('event')) {
    case 'transition':
      return `${data.from ?? '·'} → ${data.to}  ${data.reason}`
    case 'progress':
      return `  ${String(data.progress).padStart(3)} %  ${data.stage}`
    default:
      return undefined
  }
}
