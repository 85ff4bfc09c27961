// Package paper hands out passes on paper: to households and retired people who
// do not apply by phone. A desk sees their documents during its hours and
// prints a sheet with a number and a signed code, on which they leave and come
// back. Whoever holds a paper pass gets no code (the household no resident
// pass, the person no work pass) until the sheet is handed back or reported
// lost; then its code is revoked at every gate.
package paper
