// Package approval is the engine under every application: a flow says who must
// agree to what in which order, an instance is one matter on its way, and Step
// takes an instance from one state to the next.
//
// The package is pure. It reads no clock, no file and no database: what it must
// know of the world comes in as World, what must happen in it goes out as
// effects and notices. Whoever keeps instances runs Step and stores its result
// in one transaction that holds the instance's row, so that of two decisions on
// one task the second finds it done.
//
// Flows are data, in YAML of schema flow/v1. Load reads a file, compiles every
// expression against a typed environment and refuses what it does not
// understand, naming file, line and key: a rule that was mistyped must stop the
// load, not let everybody through. FLOW.md describes the schema and its meaning.
package approval
