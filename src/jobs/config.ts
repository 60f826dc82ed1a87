import { type Environment, text, type Variables } from '../lib/env.ts'

export const QUEUE_VARIABLES = {
  RABBITMQ_URL: {
    describe:
      'RabbitMQ, as `amqp://` or `amqps://user:password@host:port/vhost`. Unset: PostgreSQL is the queue.',
    secret: true,
  },
  RABBITMQ_CA_FILE: { describe: "PEM file with the CA to trust for the broker's TLS." },
} as const satisfies Variables

export interface QueueConfig {
  rabbitmqUrl: string | undefined
  rabbitmqCaFile: string | undefined
}

export function readQueueConfig(env: Environment): QueueConfig {
  return {
    rabbitmqUrl: text(env, QUEUE_VARIABLES, 'RABBITMQ_URL'),
    rabbitmqCaFile: text(env, QUEUE_VARIABLES, 'RABBITMQ_CA_FILE'),
  }
}
