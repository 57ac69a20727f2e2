package processes_test

// other is what this program does when it is not a test: see the test of killed workers.
func other([]string) (work func(), ok bool) { return nil, false }
