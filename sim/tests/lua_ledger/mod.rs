//! A script of core's, the pool's ledger or the register of leases, in a Lua of its own, with as much of Redis as it
//! uses: for runs in virtual time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use mlua::{Function, Lua, LuaSerdeExt as _, Result, Value, Variadic};
use shardkeep_sim::Instant;
use shardkeep_sim::rush::crew::Ledger;

#[derive(Default)]
struct Store {
    now_us: u64,
    texts: BTreeMap<String, (String, u64)>,
    hashes: BTreeMap<String, BTreeMap<String, String>>,
}

/// Runs the script.
pub(crate) struct LuaLedger {
    pub(crate) lua: Lua,
    script: Function,
    store: Rc<RefCell<Store>>,
    /// `CREW_TRACE` in the environment: every exchange is printed.
    is_traced: bool,
}

impl LuaLedger {
    /// A store that knows nothing, and the script that it runs.
    pub(crate) fn new(script: &str) -> Self {
        Self::build(script).expect("the script compiles")
    }

    fn build(script: &str) -> Result<Self> {
        let lua = Lua::new();
        let store = Rc::new(RefCell::new(Store::default()));
        let globals = lua.globals();
        let of_store = Rc::clone(&store);
        let call =
            lua.create_function(move |lua, words: Variadic<Value>| call(lua, &of_store, &words))?;
        let redis = lua.create_table()?;
        redis.set("call", call)?;
        globals.set("redis", redis)?;
        for (module, pack, unpack) in [
            ("cjson", "encode", "decode"),
            ("cmsgpack", "pack", "unpack"),
        ] {
            let table = lua.create_table()?;
            table.set(
                pack,
                lua.create_function(|lua, value: Value| {
                    let value: serde_json::Value = lua.from_value(value)?;
                    Ok(value.to_string())
                })?,
            )?;
            table.set(
                unpack,
                lua.create_function(|lua, text: String| {
                    let value: serde_json::Value =
                        serde_json::from_str(&text).map_err(mlua::Error::external)?;
                    lua.to_value(&value)
                })?,
            )?;
            table.set("null", Value::NULL)?;
            globals.set(module, table)?;
        }
        let script = lua.load(script).into_function()?;
        Ok(Self {
            lua,
            script,
            store,
            is_traced: std::env::var_os("CREW_TRACE").is_some(),
        })
    }
}

fn call(lua: &Lua, store: &RefCell<Store>, words: &[Value]) -> Result<Value> {
    let text = |at: usize| -> Result<String> {
        match words.get(at) {
            Some(Value::String(text)) => Ok(text.to_str()?.to_owned()),
            Some(Value::Integer(number)) => Ok(number.to_string()),
            Some(Value::Number(number)) => Ok(format!("{number:.0}")),
            other => Err(mlua::Error::external(format!("word {at} is {other:?}"))),
        }
    };
    let mut store = store.borrow_mut();
    let answer = |text: Option<String>| -> Result<Value> {
        match text {
            Some(text) => Ok(Value::String(lua.create_string(text)?)),
            // Redis says `false` where there is nothing.
            None => Ok(Value::Boolean(false)),
        }
    };
    match text(0)?.as_str() {
        "TIME" => {
            let parts = [store.now_us / 1_000_000, store.now_us % 1_000_000];
            lua.to_value(&parts.map(|part| part.to_string()))
        }
        "GET" => {
            let now = store.now_us;
            let found = store.texts.get(&text(1)?).filter(|(_, until)| *until > now);
            answer(found.map(|(text, _)| text.clone()))
        }
        "SET" => {
            let px: u64 = text(4)?.parse().map_err(mlua::Error::external)?;
            let until = store.now_us + px * 1_000;
            store.texts.insert(text(1)?, (text(2)?, until));
            answer(Some("OK".to_owned()))
        }
        "HGET" => {
            let found = store
                .hashes
                .get(&text(1)?)
                .and_then(|hash| hash.get(&text(2).ok()?));
            answer(found.cloned())
        }
        "HSET" => {
            let hash = store.hashes.entry(text(1)?).or_default();
            hash.insert(text(2)?, text(3)?);
            Ok(Value::Integer(1))
        }
        "HLEN" => {
            let length = store.hashes.get(&text(1)?).map_or(0, BTreeMap::len);
            Ok(Value::Integer(length.try_into().expect("few fields")))
        }
        "HGETALL" => {
            let hash = store.hashes.get(&text(1)?);
            let pairs = hash
                .into_iter()
                .flatten()
                .flat_map(|(field, value)| [field, value]);
            lua.to_value(&pairs.collect::<Vec<_>>())
        }
        "PEXPIRE" => Ok(Value::Integer(1)),
        other => Err(mlua::Error::external(format!("the store has no {other}"))),
    }
}

impl Ledger for LuaLedger {
    fn run(&mut self, now: Instant, keys: &[String], body: &str) -> String {
        self.store.borrow_mut().now_us = now.as_micros();
        let run = || -> Result<String> {
            let globals = self.lua.globals();
            globals.set("KEYS", self.lua.to_value(keys)?)?;
            globals.set("ARGV", self.lua.to_value(&[body])?)?;
            self.script.call(())
        };
        let answer = run().unwrap_or_else(|error| panic!("the script failed: {error}\n{body}"));
        if self.is_traced {
            eprintln!("{now} {keys:?}\n  {body}\n  {answer}");
        }
        answer
    }

    fn lose(&mut self) {
        let mut store = self.store.borrow_mut();
        store.texts.clear();
        store.hashes.clear();
    }
}
