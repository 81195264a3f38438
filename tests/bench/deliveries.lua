-- What wrk sends: signed pushes in turn, each time as a delivery of its own. It notes every answer.
--
--   wrk … -s deliveries.lua URL -- HEAD_FILE TAILS_FILE TAILS ANSWERS_FILE
--
-- A request is what HEAD_FILE has, 12 digits that make the delivery's id its own, and one of the TAILS tails of equal
-- length in TAILS_FILE. ANSWERS_FILE gets the bodies of all 202 answers, one to a line, and wrk's own output ends with a
-- line of JSON.

local threads = {}

function setup(thread)
   table.insert(threads, thread)
end

local function content(path)
   local file = assert(io.open(path, "rb"))
   local text = file:read("*a")
   file:close()
   return text
end

function init(arguments)
   head = content(arguments[1])
   local text = content(arguments[2])
   count = tonumber(arguments[3])
   local length = #text / count
   tails = {}
   for number = 1, count do
      tails[number] = text:sub((number - 1) * length + 1, number * length)
   end
   answers_file = arguments[4]
   answers = {}
   others = 0
   sent = 0
end

function request()
   sent = sent + 1
   return head .. string.format("%012x", sent) .. tails[sent % count + 1]
end

function response(status, headers, body)
   if status == 202 then
      answers[#answers + 1] = body
   else
      others = others + 1
   end
end

function done(summary, latency, requests)
   local errors = summary.errors
   local others = 0
   for _, thread in ipairs(threads) do
      others = others + thread:get("others")
      local file = assert(io.open(thread:get("answers_file"), "ab"))
      for _, answer in ipairs(thread:get("answers")) do
         file:write(answer, "\n")
      end
      file:close()
   end
   io.write(string.format(
      '{"answered": %d, "seconds": %f, "p99_ms": %f, "others": %d, "broken": %d}\n',
      summary.requests, summary.duration / 1e6, latency:percentile(99) / 1e3, others,
      errors.connect + errors.read + errors.write + errors.timeout
   ))
end
