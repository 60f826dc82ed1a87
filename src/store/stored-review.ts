/**
 * A stored review as this build knows it: those that 0.1 wrote lack what came later. For `select`, where `r`
 * is `reviews`.
 */
export const REVIEW = `'{"since": null, "carried": [], "fixed": [], "returned": [], "fetchedBytes": 0}'::jsonb || r.review`
