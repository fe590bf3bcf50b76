// Command orgstats loads an AI-agent platform's records into ClickHouse and serves figures from there.
package main

import "github.com/orgstats/orgstats/cmd/orgstats/cli"

func main() { cli.Main(cli.Options{}) }
