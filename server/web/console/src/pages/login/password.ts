/** Least characters of a password. */
export const shortest = 10

/** What is wrong with a new password, as a key of the words; "" = nothing. The server has the last word. */
export function passwordFault(password: string, old = ''): string {
  if ([...password].length < shortest) return 'password_short'
  if (old && password === old) return 'password_same'
  return ''
}
