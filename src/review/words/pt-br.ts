import type { Counts, Words } from './words.ts'

const severity = { low: 'baixa', medium: 'média', high: 'alta', critical: 'crítica' }

const files = (count: number) => (count === 1 ? '1 arquivo' : `${count} arquivos`)

function openFindings({ open, severities }: Counts): string {
  const detail = severities.map((each) => `${each.count} ${severity[each.severity]}`).join(', ')
  if (open === 0) return 'Nenhum apontamento em aberto'
  return `${open === 1 ? '1 apontamento' : `${open} apontamentos`} em aberto (${detail})`
}

export const brazilianPortuguese: Words = {
  severity,
  verdict: openFindings,
  heading: (range) => `Revisão de ${range}`,
  progress(counts) {
    const parts = [counts.new === 1 ? '1 novo' : `${counts.new} novos`]
    if (counts.carried > 0) parts.push(`${counts.carried} de antes`)
    if (counts.returned > 0) parts.push(`${counts.returned} de volta`)
    if (counts.fixed > 0) parts.push(counts.fixed === 1 ? '1 resolvido' : `${counts.fixed} resolvidos`)
    const isQuiet = parts.length === 1 && counts.new === 0
    return `**${openFindings(counts)}.**${isQuiet ? '' : ` ${parts.join(', ')}.`}`
  },
  reviewBody(counts) {
    const before = counts.carried + counts.returned
    const others = before > 0 ? `, ${before} de antes ainda em aberto` : ''
    const fresh = counts.new === 1 ? '1 apontamento novo' : `${counts.new} apontamentos novos`
    return `${counts.new === 0 ? 'Nenhum apontamento novo' : fresh}${others}.`
  },
  unplaced: 'Em linhas que não podem ser comentadas aqui:',
  newFindings: 'Novos',
  stillOpen: 'Ainda em aberto',
  returned: 'De volta',
  fixed: 'Resolvidos',
  configProblems: 'Problemas em kodus-config.yml',
  notReviewed: 'Não revisado, ou não por completo',
  more: (count) => `e mais ${count}`,
  filesRead({ changed, reviewed, secretsOnly, unchanged, since }) {
    const read = `${reviewed === 1 ? 'Lido' : 'Lidos'} ${reviewed} de ${files(changed)} alterados`
    const scanned = secretsOnly > 0 ? `; em mais ${secretsOnly}, apenas busca por segredos` : ''
    if (since === null) return `${read}${scanned}.`
    const reviewedBefore = unchanged === 1 ? 'já foi revisado' : 'já foram revisados'
    const before = unchanged > 0 ? ` ${files(unchanged)} sem mudanças desde ${since} ${reviewedBefore}.` : ''
    return `${read}${scanned}: o que é novo desde ${since}.${before}`
  },
  model(use, name) {
    if (!use.used) return `Nenhum modelo foi consultado: ${name}.`
    const requests = use.requests === 1 ? '1 requisição' : `${use.requests} requisições`
    return `Modelo: ${name}, ${requests}.`
  },
  commands: (list) => `Comandos, em um comentário: ${list}.`,
  fixedAt: (commit) => `Não encontrado mais em ${commit}.`,
  stillInHistory: 'Continua no histórico: revogue o segredo.',
  returnedAt: (commit, place) => `Encontrado de novo em ${commit}: ${place}.`,
  failsFrom: (severity) => `Falha porque \`checks.failOn\` é ${severity}.`,
  paused: {
    title: 'As revisões estão pausadas',
    summary:
      'Alguém pausou as revisões deste pull request. Comente `@kody resume` para retomá-las, ou `@kody review` para ter uma.',
  },
  waits: {
    title: 'Aguarda um mantenedor',
    summary:
      'Quem abriu este pull request, ou é dono do fork, não pode escrever no repositório, e por isso nada foi revisado. Um mantenedor pode comentar `@kody review`.',
  },
}
