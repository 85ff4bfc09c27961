package approval

// Expr is an expression that was compiled against the typed environment when
// its file was loaded. It may be shared.
type Expr struct {
	Text string // as written
}
