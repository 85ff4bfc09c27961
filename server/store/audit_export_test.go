package store

import "fmt"

// DisputedQueries are those that the index of what is disputed must answer.
func DisputedQueries() []string {
	return []string{fmt.Sprintf(disputedOf, "($1, $2)", 3, 4), disputed, disagreements}
}
