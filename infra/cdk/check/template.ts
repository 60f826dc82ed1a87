/** A part of a template: references in it are texts, as `${Name}` or `${Name.Attribute}`. */
export type Value =
  | string
  | number
  | boolean
  | undefined
  | readonly Value[]
  | { readonly [key: string]: Value }

export interface Resource {
  readonly id: string
  /** Whether what an update puts another in the place of stays where it is. */
  readonly stays: boolean
  readonly properties: { readonly [key: string]: Value }
}

/** What several stacks are together. */
export interface Template {
  /** All of a type, as `ECS::Service`. */
  all(type: string): Resource[]
  /** A name of one stack that another imports, as the first one's reference. */
  readonly parameters: Readonly<Record<string, { Type: string; Default?: string }>>
}

type Raw = { Resources?: Record<string, RawResource>; Parameters?: Template['parameters']; Outputs?: Outputs }
type RawResource = { Type: string; Properties?: unknown; UpdateReplacePolicy?: string }
type Outputs = Record<string, { Value: unknown; Export?: { Name: unknown } }>

/** Reads synthesised templates as one: what a stack imports of another is what it refers to there. */
export function readTemplates(templates: readonly Raw[]): Template {
  const exported = new Map<string, unknown>()
  for (const { Outputs = {} } of templates) {
    for (const { Value, Export } of Object.values(Outputs)) {
      if (typeof Export?.Name === 'string') exported.set(Export.Name, Value)
    }
  }
  const resources = templates.flatMap(({ Resources = {} }) =>
    Object.entries(Resources).map(([id, { Type, Properties = {}, UpdateReplacePolicy }]) => ({
      id,
      type: Type,
      stays: UpdateReplacePolicy === 'Retain',
      properties: plain(Properties, exported) as Resource['properties'],
    })),
  )
  return {
    all: (type) => resources.filter((resource) => resource.type === `AWS::${type}`),
    parameters: Object.assign({}, ...templates.map(({ Parameters = {} }) => Parameters)),
  }
}

function plain(value: unknown, exported: ReadonlyMap<string, unknown>): Value {
  if (Array.isArray(value)) return value.map((each) => plain(each, exported))
  if (typeof value !== 'object' || value === null) return value as Value
  const entries = Object.entries(value)
  const [only] = entries
  if (entries.length === 1 && only) {
    const [name, of] = only
    if (name === 'Ref') return `\${${of}}`
    if (name === 'Fn::GetAtt') return `\${${(of as string[]).join('.')}}`
    if (name === 'Fn::ImportValue') return plain(exported.get(String(of)) ?? `\${${of}}`, exported)
    if (name === 'Fn::Base64') return plain(of, exported)
    if (name === 'Fn::Join') {
      const [separator, parts] = of as [string, unknown[]]
      return parts.map((part) => asText(plain(part, exported))).join(separator)
    }
  }
  return Object.fromEntries(entries.map(([key, each]) => [key, plain(each, exported)]))
}

function asText(value: Value): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** A part that is a map, and an empty one where it is missing. */
export function map(value: Value): { readonly [key: string]: Value } {
  return typeof value === 'object' && !Array.isArray(value) ? (value as { [key: string]: Value }) : {}
}

/** A part that is a list of maps, and an empty one where it is missing. */
export function maps(value: Value): { readonly [key: string]: Value }[] {
  return Array.isArray(value) ? value.map(map) : []
}
