import type { PackageFacts } from './describe-package.ts'

const RULE = '-'.repeat(100)

/** The licences of everything in an image that others wrote, and the notices that their code asks to be kept. */
export function thirdPartyNotices(packages: readonly PackageFacts[], notices: string): string {
  const about = packages.map(({ name, version, license = 'no licence named', texts }) => {
    const text = texts.length > 0 ? texts.join('\n\n') : 'The package brings no text of its licence.'
    return `${name} ${version} (${license})\n\n${text}\n`
  })
  return [
    'Software of others that is part of this image. Its base image has its own, in /usr/share/doc.\n',
    ...about,
    `Notices from the code:\n\n${notices}\n`,
  ].join(`\n${RULE}\n\n`)
}
