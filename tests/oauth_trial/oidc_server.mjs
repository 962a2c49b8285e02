// An authorization server of oidc-provider, with one user, and the one path of the API that a login is tried with.
import { createServer } from 'node:http'
import Provider from 'oidc-provider'

const SCOPES = ['notes:read', 'posts:read', 'posts:write', 'offline_access']
const methods = process.argv[2].split(',')
const refreshes = []

const server = createServer()
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const issuer = `http://127.0.0.1:${server.address().port}`
const provider = new Provider(issuer, {
  clientAuthMethods: methods,
  clientDefaults: { id_token_signed_response_alg: 'RS256' },
  cookies: { keys: ['a key of the trial'] },
  features: {
    devInteractions: { enabled: true },
    registration: { enabled: true },
    revocation: { enabled: true },
  },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  rotateRefreshToken: true, // and a token that is used again ends its grant: that needs no configuration
  scopes: SCOPES,
  ttl: { AccessToken: 3600, Grant: 86400, Interaction: 600, RefreshToken: 86400, Session: 3600 },
})
provider.on('grant.success', (ctx) => {
  if (ctx.oidc.params.grant_type === 'refresh_token') refreshes.push(ctx.oidc.client.clientId)
})

function send(response, status, body) {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
}

async function answer(request, response) {
  const token = (request.headers.authorization ?? '').replace(/^Bearer /, '')
  const found = token && (await provider.AccessToken.find(token))
  if (!found?.isValid) return send(response, 401, { error: { code: 'invalid_token', message: 'No.' } })
  const workspace = { id: 'org_oidc', name: 'Acme', plan: 'pro' }
  const principal = { type: 'oauth', id: found.accountId, name: found.accountId, scopes: [...found.scopes] }
  send(response, 200, { data: { workspace, principal } })
}

const callback = provider.callback()
server.on('request', (request, response) => {
  if (request.url === '/v1/workspaces/me') answer(request, response)
  else if (request.url === '/trial/refreshes') send(response, 200, refreshes)
  else callback(request, response)
})
console.log(issuer)
