import type { PackageFacts } from './describe-package.ts'

/** What a base image brings. */
export interface BaseFacts {
  node: string
  /** Of its distribution: `debian`, `12`. */
  distribution: { id: string; version: string }
  packages: readonly { name: string; version: string; architecture: string }[]
}

interface Subject {
  /** Of the component. */
  name: string
  version: string
  license: string
}

/** The software bill of materials of an image, as CycloneDX 1.6 wants it. Without a base, of what we put into it. */
export function billOfMaterials(
  subject: Subject,
  packages: readonly PackageFacts[],
  base?: BaseFacts,
): object {
  const components = [...packages.map(fromNpm), ...(base ? fromBase(base) : [])]
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': `kodus-ai/${subject.name}`,
        group: 'kodus-ai',
        name: subject.name,
        version: subject.version,
        licenses: licensesOf(subject.license),
      },
    },
    // What is found twice in a tree of packages, in the same version, is listed once.
    components: [...new Map(components.map((component) => [component['bom-ref'], component])).values()],
  }
}

function fromNpm({ name, version, license, integrity }: PackageFacts) {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${encodeURIComponent(version)}`
  const [, scope, bare = name] = /^(@[^/]+)\/(.+)$/.exec(name) ?? []
  const sha512 = /^sha512-(.+)$/.exec(integrity ?? '')?.[1]
  return {
    type: 'library',
    'bom-ref': purl,
    ...(scope ? { group: scope } : {}),
    name: bare,
    version,
    ...(sha512
      ? { hashes: [{ alg: 'SHA-512', content: Buffer.from(sha512, 'base64').toString('hex') }] }
      : {}),
    licenses: licensesOf(license),
    purl,
  }
}

function fromBase({ node, distribution: { id, version: release }, packages }: BaseFacts) {
  const purl = `pkg:generic/node@${node}`
  const cpe = `cpe:2.3:a:nodejs:node.js:${node}:*:*:*:*:*:*:*`
  return [
    {
      type: 'platform',
      'bom-ref': purl,
      name: 'node',
      version: node,
      licenses: licensesOf('MIT'),
      cpe,
      purl,
    },
    ...packages.map(({ name, version, architecture }) => {
      const at = `${encodeURIComponent(name)}@${encodeURIComponent(version)}`
      const purl = `pkg:deb/${id}/${at}?arch=${architecture}&distro=${id}-${release}`
      return { type: 'library', 'bom-ref': purl, name, version, purl }
    }),
  ]
}

function licensesOf(license: string | undefined): object[] {
  if (license === undefined) return []
  if (/^[\w.+-]+$/.test(license)) return [{ license: { id: license } }]
  return / (AND|OR|WITH) /.test(license) ? [{ expression: license }] : [{ license: { name: license } }]
}
