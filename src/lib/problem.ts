/**
 * An error as `application/problem+json` (RFC 9457). `code` is stable and searchable; `help` says what the
 * caller can do.
 */
export interface Problem {
  type: 'about:blank'
  title: string
  status: number
  code: string
  detail: string
  help?: string
}

export const PROBLEM_TYPE = 'application/problem+json'

const TITLES: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

export function problem(status: number, code: string, detail: string, help?: string): Problem {
  return {
    type: 'about:blank',
    title: TITLES[status] ?? 'Error',
    status,
    code,
    detail,
    ...(help ? { help } : {}),
  }
}
