-- Asks for the paths of a file in turn, with a token; tells how many answers came and how many were wrong.
local token = os.getenv("BENCH_TOKEN")
local paths = {}
for line in io.lines(os.getenv("BENCH_PATHS")) do paths[#paths + 1] = line end
local turn = 0

wrk.headers["Authorization"] = "Bearer " .. token

request = function()
  turn = turn % #paths + 1
  return wrk.format("GET", paths[turn])
end

done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    'bench {"requests":%d,"errors":%d,"p50_ms":%.3f,"p99_ms":%.3f,"bytes":%d}\n',
    summary.requests,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, summary.bytes))
end
