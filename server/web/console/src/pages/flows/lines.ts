/** The line, from 1, on which a flow begins in a file of flows; 1 where it cannot be told. */
export function lineOf(yaml: string, id: string): number {
  const at = yaml.split('\n').findIndex((line) => /^\s*(?:-\s+)?\{?\s*id:\s*(\S+?),?\s*$/.exec(line)?.[1] === id || line.includes(`- {id: ${id},`))
  return at < 0 ? 1 : at + 1
}
