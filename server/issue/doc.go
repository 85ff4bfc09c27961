// Package issue signs: passes for people, and the keyring that makes agents
// believe them.
//
// A request is first prepared (every claim is checked, and the whole credential
// is signed once with a throw-away key and read back), and only then signed with
// the issuer key, read back and verified like a gate would, and stored.
//
// Keys. The site root signs nothing but keyrings and the server's certificate;
// it is needed when keys change, so its file may live on a stick in a safe.
// Issuer keys sign passes. They are published as next, at least PublishAhead
// before they become active, so that every gate that has been online since knows
// them; then they retire, and leave the keyring when the last pass they signed
// has ended. The private half is destroyed when a key stops signing.
//
// What a thief gains:
//
//   - root.key: keyrings that every agent of the site believes, so any pass;
//     and to stand as the server. Agents must be enrolled again with a new site.
//   - seal.key alone: nothing. With the database: the issuer keys, so any pass,
//     until those keys are declared compromised.
//   - the database, or a backup of it, alone: names, document endings and
//     events; static codes, which are bearer tokens until they end; no key and
//     no API token.
//   - an API token: what its scopes allow, until it is revoked.
package issue
