import { pino } from 'pino'

// Loaded only where someone looks at a terminal: a server in a container does without its memory.
const pretty = process.stdout.isTTY ? (await import('pino-pretty')).default : undefined

/**
 * One line an event, in one shape for every component: `level`, `time` (ISO 8601), `component`, `msg`, and
 * where they apply `jobId` and `deliveryId`.
 */
export type Log = import('pino').Logger

/** Keys under which a careless caller might pass a secret, at the top or one level down. */
const SECRET_KEYS = ['authorization', 'secret', 'token', 'password', 'apiKey', 'databaseUrl', 'rabbitmqUrl']

/** Colour on a terminal, JSON anywhere else. */
export function createLog(component: string, level = 'info'): Log {
  const options = {
    level,
    base: { component },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`]), censor: '[secret]' },
  }
  if (!pretty) return pino(options, pino.destination({ dest: 1, sync: true }))
  const stream = pretty({
    sync: true,
    translateTime: 'SYS:HH:MM:ss',
    messageFormat: '{component}  {msg}',
    ignore: 'component,pid,hostname',
    singleLine: true,
  })
  return pino(options, stream)
}

/** For code that logs when it runs in a component and is also used without one. */
export const silentLog: Log = pino({ level: 'silent' })
