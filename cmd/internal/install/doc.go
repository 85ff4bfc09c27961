// Package install puts an agent on a Linux PC as a service and takes it off
// again. The files that it writes are also those of the Debian package.
package install
