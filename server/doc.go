// Package server assembles the central server out of its parts and runs it:
// the database (store), keys and passes (issue), the API (api) and its tokens
// (auth), the agents' connections (hub) and the re-judging of what they upload
// (audit).
package server
