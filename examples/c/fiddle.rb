# Shardkeep from Ruby, without a binding: Fiddle calls the C library. A session's status, and a plan for more shards.
#
#     SHARDKEEP_LIBRARY=/usr/local/lib/libshardkeep.so ruby fiddle.rb

require "fiddle/import"
require "json"

module Shardkeep
  extend Fiddle::Importer
  dlload ENV.fetch("SHARDKEEP_LIBRARY", "libshardkeep.so.1")

  Config = struct ["size_t size", "void* settings", "size_t settings_len", "void* token", "size_t token_len",
                   "void* snapshot", "size_t snapshot_len", "uint64_t now_us", "void* error", "size_t error_size"]
  Text = struct ["void* ptr", "size_t len"]
  Record = struct ["uint32_t kind", "uint32_t code", "uint64_t id", "uint64_t value",
                   "void* text", "size_t text_len", "void* data", "size_t data_len"]

  extern "uint32_t shardkeep_abi()"
  extern "char* shardkeep_status_text(uint32_t)"
  extern "uint32_t shardkeep_config_init(void*, size_t)"
  extern "uint32_t shardkeep_session_new(void*, void*)"
  extern "uint32_t shardkeep_session_free(void*)"
  extern "uint32_t shardkeep_session_handle_timeout(void*, uint64_t)"
  extern "uint32_t shardkeep_session_poll_output(void*, void*)"
  extern "uint32_t shardkeep_session_state(void*, void*)"
  extern "uint32_t shardkeep_session_stats(void*, void*)"
  extern "uint32_t shardkeep_plan(char*, size_t, void*, size_t, void*)"

  OK = 0
  CONNECT = 1

  # Raises what a status says, unless it is success.
  def self.check(status, why = nil)
    return if status == OK

    raise(why.nil? || why.empty? ? shardkeep_status_text(status).to_s : why)
  end

  # How to get from some shards to others.
  def self.plan(request)
    json = JSON.generate(request)
    out = Fiddle::Pointer.malloc(1 << 16, Fiddle::RUBY_FREE)
    len = Fiddle::Pointer.malloc(Fiddle::SIZEOF_SIZE_T, Fiddle::RUBY_FREE)
    check shardkeep_plan(json, json.bytesize, out, out.size, len)
    JSON.parse(out[0, len[0, Fiddle::SIZEOF_SIZE_T].unpack1("J")])
  end

  # One shard's life.
  class Session
    def initialize(token, settings)
      json = JSON.generate(settings)
      error = Fiddle::Pointer.malloc(512, Fiddle::RUBY_FREE)
      error[0, 512] = "\0" * 512
      config = Config.malloc(Fiddle::RUBY_FREE)
      Shardkeep.check Shardkeep.shardkeep_config_init(config, Config.size)
      config.settings, config.settings_len = json, json.bytesize
      config.token, config.token_len = token, token.bytesize
      config.error, config.error_size = error, 512
      place = Fiddle::Pointer.malloc(Fiddle::SIZEOF_VOIDP, Fiddle::RUBY_FREE)
      Shardkeep.check Shardkeep.shardkeep_session_new(config, place), error.to_s
      @handle = place.ptr
    end

    def timeout(now_us) = Shardkeep.check(Shardkeep.shardkeep_session_handle_timeout(@handle, now_us))

    # What the session wants: pairs of a kind and a text.
    def outputs
      record = Record.malloc(Fiddle::RUBY_FREE)
      found = []
      while Shardkeep.shardkeep_session_poll_output(@handle, record) == OK
        found << [record.kind, record.text[0, record.text_len]]
      end
      found
    end

    def state = text(:shardkeep_session_state)

    def stats = JSON.parse(text(:shardkeep_session_stats))

    def free = Shardkeep.check(Shardkeep.shardkeep_session_free(@handle))

    private

    def text(function)
      view = Text.malloc(Fiddle::RUBY_FREE)
      Shardkeep.check Shardkeep.public_send(function, @handle, view)
      view.ptr[0, view.len]
    end
  end
end

raise "another interface" unless Shardkeep.shardkeep_abi == 1

session = Shardkeep::Session.new("not.a.token", "shard" => [3, 16], "intents" => 1)
session.timeout(0)
kind, url = session.outputs.first
raise "it should connect" unless kind == Shardkeep::CONNECT

puts "shard 3 of 16 is #{session.state}, to #{url}"
puts "it counts #{session.stats.keys.length} things"
session.free

begin
  Shardkeep::Session.new("not.a.token", "shrad" => [3, 16])
  raise "a misspelt setting was taken"
rescue RuntimeError => e
  puts "refused: #{e.message[0, 40]}"
end

plan = Shardkeep.plan("topology" => "16", "target" => { "shards" => 32 })
puts "from 16 to 32 shards: #{plan["steps"].length} steps, #{plan["figures"]["identifies"]} identifies"
