/**
 * Names of calls that clean up. Where nothing else is tried, a failure that is dropped is no mistake: what was to
 * go away is gone, or goes with the process.
 */
export const CLEANS_UP =
  /^_*(close|quit|disconnect|destroy|dispose|detach|stop|kill|terminate|shutdown|exit|end|abort|cancel|release|free|unlink|rm|remove|delete|clean|tear|rollback|drop|finish|un(subscribe|register|bind|lock)|deregister|off$|clear)/i

/** Names of calls that change something which others rely on: what they could not do has to be known. */
export const HAS_EFFECT =
  /^_*(save|write|send|publish|update|insert|upsert|create|make|mk|store|put|post|patch|query|set|add|push|append|commit|apply|charge|pay|refund|ship|settle|notify|enqueue|dispatch|process|handle|sync|import|migrate|flush|persist|record|upload|submit|rename|move|copy|install|deploy|run|grant|revoke)/i
