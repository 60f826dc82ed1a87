/** An error in a GraphQL answer that GitHub has a word for: `FORBIDDEN`, `NOT_FOUND`, … */
export class GraphqlRefusal extends Error {
  override name = 'GraphqlRefusal'
  readonly type: string
  readonly extra: Record<string, unknown>

  constructor(type: string, message: string, extra: Record<string, unknown> = {}) {
    super(message)
    this.type = type
    this.extra = extra
  }
}

export function noSuchNode(id: string): GraphqlRefusal {
  return new GraphqlRefusal('NOT_FOUND', `Could not resolve to a node with the global id of '${id}'.`)
}

export function forbidden(): GraphqlRefusal {
  return new GraphqlRefusal('FORBIDDEN', 'Resource not accessible by integration', {
    extensions: { saml_failure: false },
  })
}
