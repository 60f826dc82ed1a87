const { devDependencies } = require('../../package.json')

/** The major version of the Node that the project brings along. */
const NEEDED = Number.parseInt(devDependencies.node.replace(/^\D+/, ''), 10)

/**
 * Why the Node of this process will not do, if it does not. PM2's cluster starts its processes with the Node that
 * PM2 itself runs on, whatever `interpreter` says, so this may be any: the code here is plain JavaScript.
 */
exports.nodeProblem = () => {
  if (Number.parseInt(process.versions.node, 10) >= NEEDED) return undefined
  return {
    code: 'PM2_NODE_TOO_OLD',
    message: `This PM2 runs on Node ${process.versions.node}, and kodus-ai needs ${NEEDED} or newer.`,
    help:
      'Let the Node that the project brings along run PM2: `npm run pm2 -- kill`, then `npm run pm2 -- start ' +
      'infra/pm2/ecosystem.config.cjs`. If another PM2 has them already: `pm2 delete webhook-handler api-rest worker`.',
  }
}
