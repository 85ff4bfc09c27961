// Package nets holds the tests of whole campuses on bad networks: the real
// daemons as processes, each on a machine of its own in a network namespace
// whose cables are cut, silenced one way and pulled out and put back; and the
// soak, in which many agents work for long on lines that fail all the time.
package nets
