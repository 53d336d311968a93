// Runs one of the servers in as many processes as PEERS_PROCESSES says, on one port.
import cluster from 'node:cluster'

const [name] = process.argv.slice(2)
const processes = Number(process.env.PEERS_PROCESSES ?? 2)

if (cluster.isPrimary && processes > 1) {
  for (let n = 0; n < processes; n++) cluster.fork()
  cluster.on('exit', () => process.exit(1))
} else {
  const { serve } = await import(`./${name}.js`)
  await serve(Number(process.env.PEERS_PORT))
}
process.on('SIGTERM', () => process.exit(0))
