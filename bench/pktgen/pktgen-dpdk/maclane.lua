-- pktgen-dpdk: RFC 2544 throughput through Maclane, NDR (no loss) and PDR (at most 0.5 %).
--
--   pktgen -l 0-4 -n 4 -a 0000:05:00.0 -a 0000:05:00.1 -- -P -m "[1:2].0,[3:4].1" -f maclane.lua
--
-- Frames go from port 0 to port 1: that is right for forwarding and for masquerade. pktgen counts its
-- flows up, it does not draw them (RFC 4814 asks for random ones: see ../trex). Sizes count the FCS.
package.path = package.path .. ";?.lua;test/?.lua;app/?.lua;../?.lua"
require "Pktgen"

local router = "02:00:00:00:00:02" -- MAC address of the router's inside port: set it
local sizes = { 64, 512, 1518 }
local flows = 50000 -- source ports; the 250 hosts go round with them
local trial, final = 10, 60 -- seconds; RFC 2544 wants the last one to take 60
local settle = 2000 -- ms for the last frames to arrive
local resolution = 0.5 -- percent of line rate

local function vary(what, first, step, last)
  pktgen.range[what]("0", "start", first)
  pktgen.range[what]("0", "min", first)
  pktgen.range[what]("0", "max", last)
  pktgen.range[what]("0", "inc", step)
end

local function set_up(size)
  pktgen.range.dst_mac("0", "start", router)
  vary("src_ip", "198.18.0.1", "0.0.0.1", "198.18.0.250")
  vary("dst_ip", "198.19.0.1", "0.0.0.0", "198.19.0.1")
  vary("src_port", 1024, 1, 1024 + flows - 1)
  vary("dst_port", 9, 0, 9)
  vary("pkt_size", size, 0, size)
  pktgen.range.ip_proto("0", "udp")
  pktgen.set("0", "count", 0)
  pktgen.set_range("0", "on")
end

-- Frames sent by port 0 and received by port 1. Older versions want to be told the kind.
local function counters()
  local ok, stats = pcall(pktgen.portStats, "all")
  if not ok then stats = pktgen.portStats("all", "port") end
  local out, back = stats[0], stats[1]
  return (out.curr or out).opackets, (back.curr or back).ipackets
end

-- Sends at this percentage of line rate; what was sent and what came back.
local function run(rate, seconds)
  pktgen.set("0", "rate", rate)
  local sent, received = counters()
  pktgen.start("0")
  pktgen.delay(seconds * 1000)
  pktgen.stop("0")
  pktgen.delay(settle)
  local sent_then, received_then = counters()
  return sent_then - sent, received_then - received
end

local function passes(rate, allowed, seconds)
  local sent, received = run(rate, seconds)
  local loss = 100 * (sent - received) / math.max(sent, 1)
  printf("  %6.2f %% of line rate: %.3f Mpps sent, %.3f Mpps back, %.4f %% lost\n", rate,
         sent / seconds / 1e6, received / seconds / 1e6, loss)
  return loss <= allowed, received / seconds / 1e6
end

-- The highest rate that passes, confirmed by a long trial; the search goes down if it is not.
local function search(size, name, allowed)
  local low, high, rate = 0, 100, 100
  while high - low > resolution do
    if passes(rate, allowed, trial) then low = rate else high = rate end
    if low == 100 then break end
    rate = (low + high) / 2
  end
  while low > resolution do
    local ok, mpps = passes(low, allowed, final)
    if ok then
      printf("%d bytes, %s: %.2f %% of line rate, %.3f Mpps\n", size, name, low, mpps)
      return
    end
    low = low - resolution
  end
  printf("%d bytes, %s: not found, frames are lost at any rate\n", size, name)
end

pktgen.screen("off")
for _, size in ipairs(sizes) do
  set_up(size)
  run(10, 2) -- connections are made before they are measured
  search(size, "NDR", 0)
  search(size, "PDR", 0.5)
end
pktgen.quit()
