import * as v from 'valibot'
import type { JobMessage } from './queue.ts'
import type { Delivery } from './review-request.ts'

const JobMessageSchema = v.object({
  jobId: v.pipe(v.string(), v.uuid()),
  type: v.pipe(v.string(), v.nonEmpty()),
  version: v.pipe(v.number(), v.integer()),
})

/** Only what identifies a delivery: the rest may be of a newer build, and the row's columns check it. */
const DeliverySchema = v.looseObject({
  forge: v.pipe(v.string(), v.nonEmpty()),
  deliveryId: v.pipe(v.string(), v.nonEmpty()),
  jobId: v.pipe(v.string(), v.uuid()),
  digest: v.pipe(v.string(), v.hexadecimal()),
})

/** A message of the jobs queue; undefined where the bytes are none. */
export function parseJobMessage(content: Buffer): JobMessage | undefined {
  return parse(JobMessageSchema, content)
}

/** A message of the intake queue; undefined where the bytes are none. */
export function parseDelivery(content: Buffer): Delivery | undefined {
  return parse(DeliverySchema, content) as Delivery | undefined
}

function parse<Schema extends v.GenericSchema>(
  schema: Schema,
  content: Buffer,
): v.InferOutput<Schema> | undefined {
  try {
    return v.parse(schema, JSON.parse(content.toString()))
  } catch {
    return undefined
  }
}
