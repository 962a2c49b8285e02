// Register, sign in, refresh, use a refresh token twice, and revoke, with oauth4webapi. Prints a line for each step.
import * as oauth from 'oauth4webapi'

const [issuer, method] = process.argv.slice(2)
const local = { [oauth.allowInsecureRequests]: true }
const redirectUri = 'https://acme.example/callback'
const scope = 'notes:read posts:write offline_access'

const as = await oauth.processDiscoveryResponse(
  new URL(issuer),
  await oauth.discoveryRequest(new URL(issuer), { algorithm: 'oauth2', ...local }),
)
console.log('discovered')

const client = await oauth.processDynamicClientRegistrationResponse(
  await oauth.dynamicClientRegistrationRequest(
    as,
    { client_name: 'oauth4webapi', redirect_uris: [redirectUri], scope, token_endpoint_auth_method: method },
    local,
  ),
)
console.log('registered')

const authentication = {
  none: () => oauth.None(),
  client_secret_basic: () => oauth.ClientSecretBasic(client.client_secret),
  client_secret_post: () => oauth.ClientSecretPost(client.client_secret),
}[method]()

// As a browser without JavaScript: the consent page's own form.
async function consent(url) {
  const page = await (await fetch(url)).text()
  const form = new URLSearchParams({ decision: 'allow' })
  for (const [, name, value] of page.matchAll(/<input type="\w+" name="(\w+)" value="([^"]*)"/g)) form.append(name, value)
  form.append('reach', page.match(/<option value="([^"]*)"/)[1])
  const response = await fetch(as.authorization_endpoint, { method: 'POST', body: form, redirect: 'manual' })
  return new URL(response.headers.get('location'))
}

async function signIn() {
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const url = new URL(as.authorization_endpoint)
  url.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }).toString()
  const parameters = oauth.validateAuthResponse(as, client, await consent(url), state)
  const response = await oauth.authorizationCodeGrantRequest(
    as, client, authentication, parameters, redirectUri, verifier, local,
  )
  return oauth.processAuthorizationCodeResponse(as, client, response)
}

async function refresh(token) {
  const response = await oauth.refreshTokenGrantRequest(as, client, authentication, token, local)
  return oauth.processRefreshTokenResponse(as, client, response)
}

async function isLive(tokens) {
  try {
    const url = new URL('/v1/workspaces/me', issuer)
    const response = await oauth.protectedResourceRequest(tokens.access_token, 'GET', url, undefined, null, local)
    return response.status === 200
  } catch (error) {
    if (error instanceof oauth.WWWAuthenticateChallengeError && error.status === 401) return false
    throw error
  }
}

async function isRefused(token) {
  try {
    await refresh(token)
    return false
  } catch (error) {
    if (error instanceof oauth.ResponseBodyError && error.error === 'invalid_grant') return true
    throw error
  }
}

function expect(what, holds) {
  if (!holds) throw new Error(`not ${what}`)
  console.log(what)
}

const first = await signIn()
expect('signed in', await isLive(first))
const second = await refresh(first.refresh_token)
expect('refreshed', second.refresh_token !== first.refresh_token && (await isLive(second)))
expect('a used refresh token refused', await isRefused(first.refresh_token))
expect('and its login ended', (await isRefused(second.refresh_token)) && !(await isLive(second)))
const third = await signIn()
await oauth.processRevocationResponse(
  await oauth.revocationRequest(as, client, authentication, third.refresh_token, local),
)
expect('revoked', (await isRefused(third.refresh_token)) && !(await isLive(third)))
