import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { toJsonSchemaDefs } from '@valibot/to-json-schema'
import type { FastifySchema } from 'fastify'
import * as v from 'valibot'
import { NAMED_SCHEMAS } from './schemas.ts'
import { type Api, JSON_SCHEMA, jsonSchemaOf } from './valibot-routes.ts'

const ABOUT = `What became of the reviews that webhooks asked for.

Every request but those of the tag \`service\` carries \`Authorization: Bearer <key>\`. Keys are made with
\`kodus keys create\`; reading needs the scope \`read\`, whatever changes something \`write\`.

Every error is \`application/problem+json\`: compare \`code\`, show \`detail\` and \`help\`.`

/** The page at /docs runs nothing but its own scripts, and loads nothing from elsewhere. */
const PAGE_POLICY = {
  'default-src': "'self'",
  'img-src': "'self' data:",
  // Swagger UI sets styles on elements.
  'style-src': "'self' 'unsafe-inline'",
  'object-src': "'none'",
  'base-uri': "'none'",
  'frame-ancestors': "'none'",
}

/**
 * `GET /openapi.json`, derived from the routes, and a page at `/docs` to browse it. Both are readable without
 * a key: they say what this build can do and hold nothing of its user's, and a browser that opens a page
 * sends no key.
 */
export async function serveOpenApi(app: Api, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'kodus-ai',
        version,
        description: ABOUT,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      tags: [
        {
          name: 'jobs',
          description: 'One job is one delivery of a webhook that asks for a review, or commands one.',
        },
        {
          name: 'operation',
          description:
            'What an operator does: messages that nobody could read, and stopping work for a while. Jobs that failed are under `jobs`, as `GET /jobs?dead=true`.',
        },
        { name: 'service', description: 'This process itself; no key needed.' },
      ],
      components: {
        securitySchemes: {
          apiKey: { type: 'http', scheme: 'bearer', description: 'A key made with `kodus keys create`.' },
        },
        schemas: toJsonSchemaDefs(NAMED_SCHEMAS, JSON_SCHEMA) as Record<string, object>,
      },
    },
    convertConstToEnum: false,
    transform: ({ schema, url }) => ({ schema: toPlainSchemas(schema), url }),
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: PAGE_POLICY,
    theme: { title: 'kodus-ai API' },
    logLevel: 'warn',
  })

  app.get(
    '/openapi.json',
    {
      schema: {
        operationId: 'getOpenApi',
        summary: 'This description',
        tags: ['service'],
        response: {
          200: {
            description: 'An OpenAPI 3.1 document.',
            content: {
              'application/json': { schema: v.objectWithRest({ openapi: v.string() }, v.unknown()) },
            },
          },
        },
      },
    },
    async () => app.swagger() as { openapi: string },
  )
}

/** A route's schemas, from Valibot's to JSON Schema. Plugins' own routes have none, and are hidden. */
function toPlainSchemas(schema: FastifySchema | undefined): FastifySchema {
  if (!schema || schema.hide) return { hide: true }
  const { params, querystring, headers, response, ...rest } = schema
  const requestParts = Object.entries({ params, querystring, headers })
    .filter(([, part]) => part !== undefined)
    .map(([name, part]) => [name, jsonSchemaOf(part as v.GenericSchema, 'request')])
  const responses = Object.entries(response as Record<string, DeclaredResponse>).map(
    ([status, { content, ...about }]) => [
      status,
      {
        ...about,
        content: Object.fromEntries(
          Object.entries(content).map(([type, media]) => [
            type,
            { ...media, schema: jsonSchemaOf(media.schema, 'response') },
          ]),
        ),
      },
    ],
  )
  return { ...rest, ...Object.fromEntries(requestParts), response: Object.fromEntries(responses) }
}

interface DeclaredResponse {
  description: string
  content: Record<string, { schema: v.GenericSchema; example?: unknown }>
}
