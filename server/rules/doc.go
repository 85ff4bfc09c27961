// Package rules keeps what guards go by: the guideline that says which
// documents let whom in, the PINs with which guards begin a shift, and the
// registers of those who left or came by a rule that keeps one.
//
// The guideline is a YAML file that an administrator writes; Parse reads it
// strictly. Guideline and guards go to the gates with the feed of package
// store. The registers are read out of the gates' events.
package rules
