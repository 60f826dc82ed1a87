import type { Duplex } from 'node:stream'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib'
import { KodusError, messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { readCa } from '../lib/read-ca.ts'
import { settledWithin } from '../lib/settled-within.ts'
import { isMismatch, mismatchPauseMs } from './topology.ts'

export interface RabbitmqOptions {
  /** `amqp://` or `amqps://`, the path being the virtual host. */
  url: string
  /** PEM file with the certificates to trust, for brokers with an authority of their own. */
  caFile?: string | undefined
  log: Log
}

/** A connection that comes back by itself, with the one channel that is used on it. */
export interface RabbitmqConnection<Session> {
  /** What `open` made of the channel that lives now; undefined while there is none. */
  session(): Session | undefined
  /** Resolves when the first attempt has succeeded or failed. */
  readonly attempted: Promise<void>
  /** Why there is no session: what ended the last attempt. A KodusError where a person has to put something right. */
  failure(): unknown
  /** Gives up the connection that lives now, so that another is made. */
  drop(reason: string): void
  /** Ends it for good, within a second. */
  close(): Promise<void>
}

const HEARTBEAT_SECONDS = 10
const CONNECT_TIMEOUT_MS = 5_000
const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 10_000
/** A connection that lived this long was a good one: the next failure starts again with a short wait. */
const GOOD_AFTER_MS = 10_000
const CLOSE_TIMEOUT_MS = 1_000

/**
 * Connects in the background and runs `open`, which declares what it needs; whenever the connection is lost, or
 * any of that fails, does it again. An outage is logged once, and so is its end; a queue that exists with other
 * arguments each time that it is met. `purpose` says in the log what the connection is for.
 *
 * @throws KodusError RABBITMQ_URL_INVALID or RABBITMQ_CA_UNREADABLE, at once: no retry can mend those
 */
// Not amqplib's own recovery: it cannot wait longer for some errors, nor abandon a connection that hangs.
export function keepConnected<Session>(
  { url, caFile, log }: RabbitmqOptions,
  purpose: string,
  open: (channel: ConfirmChannel, connection: ChannelModel) => Promise<Session>,
): RabbitmqConnection<Session> {
  const { address, shown } = parseAddress(url)
  const socketOptions = {
    noDelay: true, // Without it a confirm of 2 kB takes 44 ms instead of 0.7.
    keepAlive: true,
    timeout: CONNECT_TIMEOUT_MS,
    ...(caFile ? { ca: readCa(caFile, 'RABBITMQ_CA_FILE') } : {}),
  }
  const stopping = new AbortController()
  let connection: ChannelModel | undefined
  let channel: ConfirmChannel | undefined
  let session: Session | undefined
  let failures = 0
  let mismatches = 0
  let outage: string | undefined
  let failure: unknown
  let reportAttempt = () => {}
  const attempted = new Promise<void>((resolve) => {
    reportAttempt = resolve
  })

  async function connectOnce(): Promise<never> {
    connection = await connect(address, socketOptions)
    connection.on('error', () => {}) // 'close' follows, with the same error.
    const lost = new Promise<unknown>((resolve) => connection?.once('close', resolve))
    if (stopping.signal.aborted) throw new Error('closed while connecting')
    joinWrites(socketOf(connection))
    channel = await connection.createConfirmChannel()
    channel.on('error', () => {}) // 'close' follows.
    channel.on('close', () => stopping.signal.aborted || drop('the broker closed the channel'))
    session = await open(channel, connection)
    if (outage) log.info(`connected to ${shown} again, ${purpose}`)
    outage = undefined
    failure = undefined
    mismatches = 0
    reportAttempt()

    const since = performance.now()
    const reason = await lost
    if (performance.now() - since > GOOD_AFTER_MS) failures = 0
    throw reason ?? new Error('the broker closed the connection')
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const error = namingRefusals(await connectOnce().catch((reason: unknown) => reason))
      failure = error
      session = undefined
      drop('given up')
      connection = undefined
      channel = undefined
      reportAttempt()
      if (stopping.signal.aborted) return
      report(error)
      if (isMismatch(error)) mismatches += 1
      const wait = isMismatch(error)
        ? mismatchPauseMs(mismatches)
        : Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures)
      failures += 1
      await sleep(wait * (0.5 + Math.random() / 2), undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  function report(error: unknown): void {
    const reason = messageOf(error)
    if (reason === outage && !isMismatch(error)) return
    outage = reason
    if (error instanceof KodusError) log.error({ code: error.code, help: error.help }, reason)
    else log.warn(`no connection to ${shown} ${purpose}, trying again: ${reason}`)
  }

  function drop(reason: string): void {
    if (connection) destroy(connection, reason)
  }

  async function sayGoodbye(): Promise<void> {
    // What has settled this very moment still gets its acknowledgement out.
    await setImmediate()
    // The channel first: what it has to send would be overtaken by the connection's own goodbye.
    await channel?.close()
    await connection?.close()
  }

  const running = run()

  return {
    session: () => session,
    attempted,
    failure: () => failure,
    drop,
    async close() {
      stopping.abort()
      sayGoodbye().catch(() => {}) // The connection is gone already, and that is all it is for.
      await settledWithin(CLOSE_TIMEOUT_MS, running)
      drop('closed')
    },
  }
}

function socketOf(connection: ChannelModel): Duplex {
  return (connection.connection as unknown as { stream: Duplex }).stream
}

/**
 * amqplib writes message by message, each a system call here and a packet at the broker: what is written in one
 * turn leaves in one. With 32 messages at a time that halves what each costs either side.
 */
function joinWrites(socket: Duplex): void {
  const write = socket.write.bind(socket)
  socket.write = (frames: Uint8Array) => {
    if (socket.writableCorked === 0) {
      socket.cork()
      process.nextTick(() => socket.uncork())
    }
    return write(frames)
  }
}

/**
 * amqplib only ends a lost socket politely, which waits for a peer that may be gone. With an error it also
 * stops its heartbeat and fails what is in flight.
 */
function destroy(connection: ChannelModel, reason: string): void {
  socketOf(connection).destroy(new Error(reason))
}

/** What a person has to put right in the address or at the broker, said as such. */
function namingRefusals(error: unknown): unknown {
  const reason = refusal(messageOf(error))
  if (!reason) return error
  return new KodusError('RABBITMQ_REFUSED', `RabbitMQ refuses what RABBITMQ_URL asks for: ${reason}`, {
    help: 'Check its user, password and virtual host (the last part, with %2F for a slash), and that the user may configure, read and write there: rabbitmqctl list_vhosts, rabbitmqctl list_permissions.',
    retryability: 'transient',
    cause: error,
  })
}

function refusal(message: string): string | undefined {
  // amqplib keeps to itself what RabbitMQ says of a virtual host.
  if (/Expected ConnectionOpenOk; got <ConnectionClose/.test(message))
    return 'there is no such virtual host, or the user may not open it'
  return /"((?:ACCESS_REFUSED|NOT_ALLOWED) - [^"]*)"/.exec(message)?.[1]
}

/** The URL with our heartbeat, and as it may be shown: without credentials. */
function parseAddress(url: string): { address: string; shown: string } {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (!parsed || !['amqp:', 'amqps:'].includes(parsed.protocol) || !parsed.hostname) {
    // The URL itself stays out of the message, and so does the cause, which carries it.
    throw new KodusError('RABBITMQ_URL_INVALID', 'The address of RabbitMQ cannot be used.', {
      help: 'Set RABBITMQ_URL to amqp://user:password@host:5672/vhost, or amqps:// with TLS; percent-encode special characters.',
    })
  }
  if (!parsed.searchParams.has('heartbeat')) parsed.searchParams.set('heartbeat', String(HEARTBEAT_SECONDS))
  return { address: parsed.href, shown: `${parsed.protocol}//${parsed.host}${parsed.pathname}` }
}
