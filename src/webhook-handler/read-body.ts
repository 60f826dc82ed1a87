import type { IncomingMessage } from 'node:http'
import { KodusError } from '../lib/errors.ts'

/** Reads one request's whole body. @throws KodusError BODY_TOO_LARGE, HANDLER_BUSY or UPLOAD_ABORTED */
export type ReadBody = (request: IncomingMessage) => Promise<Buffer>

/** GitHub's own cap on a webhook. */
export const MAX_BODY_BYTES = 25 * 1024 * 1024

/**
 * @param maxTotalBytes of all bodies that are being read at the same time: the memory a flood of uploads
 * can take
 */
export function createBodyReader({ maxTotalBytes }: { maxTotalBytes: number }): ReadBody {
  let total = 0

  return (request) =>
    new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      let size = 0
      const stop = () => {
        request.off('data', take).off('end', finish).off('close', abort)
        chunks.length = 0
        total -= size
      }
      const take = (chunk: Buffer) => {
        size += chunk.length
        total += chunk.length
        chunks.push(chunk)
        const refusal =
          size > MAX_BODY_BYTES ? bodyTooLarge() : total > maxTotalBytes ? handlerBusy() : undefined
        if (!refusal) return
        stop()
        reject(refusal)
      }
      const finish = () => {
        const body = Buffer.concat(chunks, size)
        stop()
        resolve(body)
      }
      const abort = () => {
        stop()
        reject(uploadAborted())
      }
      // Kept to the end: an upload that breaks off later must not end the process.
      request.on('error', ignore)
      request.on('data', take).on('end', finish).on('close', abort)
      if (request.destroyed && !request.complete) abort()
    })
}

/** Not a closure: it would keep the body for as long as the request lives, which waits for a store. */
function ignore(): void {}

export function bodyTooLarge(): KodusError {
  return new KodusError('BODY_TOO_LARGE', `The body is larger than ${MAX_BODY_BYTES} bytes.`, {
    help: 'This is the largest webhook that GitHub sends. Smaller ones are accepted.',
  })
}

export function handlerBusy(): KodusError {
  return new KodusError('HANDLER_BUSY', 'Too many webhooks are being received at once.', {
    help: 'Send it again. If this happens often, run more webhook handlers.',
    retryability: 'transient',
  })
}

function uploadAborted(): KodusError {
  return new KodusError('UPLOAD_ABORTED', 'The sender broke off before the body was complete.', {
    help: 'Nothing was stored. Send it again.',
    retryability: 'transient',
  })
}
