/** What is wrong with a new password, as a key of the words; "" = nothing. The server has the last word. */
export function passwordFault(password: string, old = ''): string {
  if ([...password].length < 8) return 'password_short'
  if (!/\p{L}/u.test(password) || !/\p{Nd}/u.test(password)) return 'password_plain'
  if (old && password === old) return 'password_same'
  return ''
}
