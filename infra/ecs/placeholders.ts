interface Placeholder {
  readonly describe: string
  /** What a value looks like; where there is none, it may be blank. */
  readonly pattern?: RegExp
}

/** What stands for a value of the account in the written files, as `${NAME}`. */
export const PLACEHOLDERS = {
  ACCOUNT_ID: { describe: 'the number of the account', pattern: /^\d{12}$/ },
  REGION: { describe: 'where it runs, as us-east-1', pattern: /^[a-z]{2}(-[a-z]+)+-\d$/ },
  IMAGE_DIGEST: {
    describe: "the digest of the component's image, as sha256:…",
    pattern: /^sha256:[0-9a-f]{64}$/,
  },
  TARGET_GROUP_ARN: {
    describe: "the ARN of the component's target group: by instance on EC2, by ip on Fargate",
    pattern: /^arn:aws:elasticloadbalancing:\S+:targetgroup\/\S+$/,
  },
  SUBNET_A: { describe: 'a private subnet', pattern: /^subnet-\w+$/ },
  SUBNET_B: { describe: 'a private subnet in another availability zone', pattern: /^subnet-\w+$/ },
  SECURITY_GROUP: { describe: 'a security group that lets the load balancer in', pattern: /^sg-\w+$/ },
  GITHUB_APP_ID: { describe: "the App's number" },
  LLM_BASE_URL: { describe: 'the endpoint of the model; blank: none is asked' },
  LLM_MODEL: { describe: "the model's name there" },
} as const satisfies Record<string, Placeholder>

export type PlaceholderName = keyof typeof PLACEHOLDERS

/** A placeholder as it stands in a document. */
export function placeholder(name: PlaceholderName): string {
  return `\${${name}}`
}

/**
 * A written document with an account's values.
 *
 * @throws Error that names every value which is missing, or is none of its kind
 */
export function fillIn(document: string, values: Readonly<Record<string, string | undefined>>): string {
  const names = [...document.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name as PlaceholderName)
  const wrong = [...new Set(names)].filter((name) => !isValue(name, values[name] ?? ''))
  if (wrong.length > 0) {
    const lines = wrong.map((name) => `  ${name}: ${PLACEHOLDERS[name].describe}`)
    throw new Error(`Not set, or not what it should be:\n${lines.join('\n')}`)
  }
  // Escaped for JSON, without the quotes.
  const value = (name: string) => JSON.stringify(values[name] ?? '').slice(1, -1)
  return document.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => value(name))
}

function isValue(name: PlaceholderName, value: string): boolean {
  const { pattern }: Placeholder = PLACEHOLDERS[name]
  return pattern === undefined || pattern.test(value)
}
