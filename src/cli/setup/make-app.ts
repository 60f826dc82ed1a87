import { readGitHubAddress } from '../../forges/github/config.ts'
import { convertManifest } from '../../forges/github/convert-manifest.ts'
import { openAppPage } from './app-page.ts'
import { privateKeyFile, writePrivate } from './github-settings.ts'
import { permissionLines, permissionsFor } from './permissions.ts'
import { keep, type Setup } from './setup.ts'

/** Makes a GitHub App, with the help of somebody's browser, and keeps its keys. */
export async function makeApp({ options, directory, env, common }: Setup): Promise<void> {
  const address = readGitHubAddress(env)
  const { name, organisation, webhookUrl, port, resolveThreads = true } = options
  const permissions = permissionsFor({ resolveThreads })
  console.log('The App may do this, in the repositories that you install it on, and nothing else:\n')
  console.log(`${permissionLines(permissions).join('\n')}\n`)
  if (resolveThreads) {
    console.log(
      'GitHub asks for `contents: write` before an App may resolve a thread. git itself gets a token that can only\nread. With --no-resolve-threads it is not asked for: fixed findings are answered, and people resolve them.\n',
    )
  }
  const webOrigin = address.gitOrigin
  const page = await openAppPage({ name, permissions, webhookUrl, webOrigin, organisation, port })
  console.log(`Open this address in a browser on this machine, and confirm at GitHub:\n\n  ${page.url}\n`)
  console.log(
    `From another machine, first: ssh -L ${page.port}:127.0.0.1:${page.port} <this machine>. Ctrl-C gives up:\nnothing is written before GitHub has made the App.\n`,
  )
  let installUrl: string
  try {
    installUrl = await finish(await page.code)
  } catch (failure) {
    await page.close({ failure })
    throw failure
  }
  await page.close({ goTo: installUrl })

  async function finish(code: string): Promise<string> {
    const app = await convertManifest(address, code)
    const keyFile = privateKeyFile(directory, app.id)
    writePrivate(keyFile, app.privateKey)
    console.log(`Made ${app.slug}${app.owner ? `, owned by ${app.owner}` : ''}. Its key: ${keyFile}`)
    keep(directory, {
      ...common,
      GITHUB_APP_ID: String(app.id),
      GITHUB_APP_PRIVATE_KEY_FILE: keyFile,
      GITHUB_WEBHOOK_SECRET: (webhookUrl && app.webhookSecret) || undefined,
    })
    if (webhookUrl && !app.webhookSecret) {
      console.log(
        'GitHub told no secret for its webhooks: set one on the page of the App, and as GITHUB_WEBHOOK_SECRET.',
      )
    }
    console.log(
      `\nInstall it on the repositories that are to be reviewed:\n\n  ${app.htmlUrl}/installations/new\n`,
    )
    return `${app.htmlUrl}/installations/new`
  }
}
