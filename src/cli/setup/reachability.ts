/** How GitHub's events reach a machine that has no public address, for a terminal. */
export const NO_PUBLIC_ADDRESS = `GitHub has to reach the webhook handler (port 3332) from the internet. Choose one:

  --webhook-url https://reviews.example.com/webhooks/github
        a public address that leads here: a load balancer, or a tunnel that forwards requests unchanged, e.g.
          cloudflared tunnel --url http://127.0.0.1:3332
          tailscale funnel 3332
          ngrok http 3332
        A relay that parses the body and writes it anew (smee.io's client does) breaks its signature.

  --poll --allow owner/name,owner/other
        no address at all: a worker asks GitHub every minute what has changed in these repositories. Reviews
        begin up to a minute later, and nothing needs to be opened.`
