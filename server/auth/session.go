package auth

// Cookie is the name of the session cookie.
const Cookie = "cg_session"
