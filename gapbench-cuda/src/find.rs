//! The only door to a device: finds the driver, asks it whether it can be used, and only then lets cudarc call it.

use std::ffi::{OsString, c_int};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use gapbench::measure::phase;
use libloading::os::unix::Library;

use crate::absent::{Absent, Reason};
use crate::cuda::{Cuda, Inner};
use crate::facts::Facts;
use crate::libraries::{self, NotOpened, Opened};
use crate::status::Status;
use crate::symbols::{OF_CUDARC, Symbols};

/// What every driver that supports CUDA 12 installs.
const DRIVER: &[&str] = &["libcuda.so.1"];
/// CUDA 12.0, the oldest version whose driver has all that is called.
const LEAST: i32 = 12000;

/// The device that this process uses, if somebody holds it: all who ask get the same.
static FOUND: Mutex<Weak<Inner>> = Mutex::new(Weak::new());
/// An initialised driver is kept for good.
static DRIVER_FOUND: Mutex<Option<&'static Driver>> = Mutex::new(None);

/// An initialised driver with at least one device.
pub(crate) struct Driver {
    pub(crate) symbols: Symbols,
    pub(crate) path: PathBuf,
}

pub(crate) fn environment(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

pub(crate) fn find() -> Result<Cuda, Absent> {
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(inner) = found.upgrade() {
        return Ok(Cuda::from_inner(inner));
    }
    let (driver, device, facts) = phase("device library", visible)?;
    let inner = Inner::new(&driver.symbols, device, facts)
        .map_err(|error| driver.unusable(format!("failed to {error}")))?;
    let inner = Arc::new(inner);
    *found = Arc::downgrade(&inner);
    Ok(Cuda::from_inner(inner))
}

impl Driver {
    fn unusable(&self, what: String) -> Absent {
        Absent::new(Reason::Unusable { library: self.path.clone(), what }, "")
    }
}

/// The first visible device and what it says about itself, without a context.
pub(crate) fn visible() -> Result<(&'static Driver, c_int, Facts), Absent> {
    let driver = driver()?;
    let refused =
        |call: &str, code: Status| driver.unusable(format!("{call} answered {code}: {}", code.meaning()));
    let mut device = 0;
    // SAFETY: the pointer is to a value of the type that is asked for.
    match Status(unsafe { (driver.symbols.device)(&mut device, 0) }) {
        Status::SUCCESS => {}
        code => return Err(refused("cuDeviceGet", code)),
    }
    let facts = Facts::read(&driver.symbols, device, &driver.path);
    facts.map(|facts| (driver, device, facts)).map_err(|(call, code)| refused(call, code))
}

fn driver() -> Result<&'static Driver, Absent> {
    let mut found = DRIVER_FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(driver) = *found {
        return Ok(driver);
    }
    let searched = libraries::folders(&environment);
    let words = libraries::in_words(&searched, &environment);
    let driver = probe(searched).map_err(|reason| Absent::new(reason, &words))?;
    let driver: &'static Driver = Box::leak(Box::new(driver));
    *found = Some(driver);
    Ok(driver)
}

fn probe(searched: Vec<PathBuf>) -> Result<Driver, Reason> {
    if let Some(library) = libraries::wrong_folder(&environment) {
        let what = format!("{} names it, and it is not the absolute path of a folder", libraries::VARIABLE);
        return Err(Reason::Unusable { library, what });
    }
    let Opened { library, path } = match libraries::open(DRIVER, &searched) {
        Ok(opened) => opened,
        Err(NotOpened::Missing) => return Err(Reason::NoDriver { searched }),
        Err(NotOpened::Refused { path: library, what }) => {
            return Err(Reason::Unusable { library, what: format!("the loader refuses it: {what}") });
        }
    };
    let library = libraries::keep(library);
    check_version(library, &path)?;
    // SAFETY: the library calls itself a CUDA driver, and is kept open.
    let symbols = unsafe { Symbols::load(library) }.map_err(|symbol| missing(&path, symbol))?;
    if let Some(symbol) = OF_CUDARC.iter().find(|symbol| !has(library, symbol)) {
        return Err(missing(&path, symbol));
    }
    check_name(&symbols, &path)?;
    // SAFETY: the function takes a number that must be 0.
    match Status(unsafe { (symbols.init)(0) }) {
        Status::SUCCESS => {}
        Status::STUB_LIBRARY => return Err(Reason::Stub { library: path }),
        code @ Status::NO_DEVICE => return Err(Reason::NoDevice { library: path, code }),
        code => {
            let what = format!("cuInit answered {code}: {}", code.meaning());
            return Err(Reason::Unusable { library: path, what });
        }
    }
    let mut devices = 0;
    // SAFETY: the pointer is to a value of the type that is asked for.
    match Status(unsafe { (symbols.device_count)(&mut devices) }) {
        code if code != Status::SUCCESS || devices == 0 => Err(Reason::NoDevice { library: path, code }),
        _ => Ok(Driver { symbols, path }),
    }
}

/// Before anything else is asked, since an old driver may lack what is asked next.
fn check_version(library: &Library, path: &Path) -> Result<(), Reason> {
    let symbol = "cuDriverGetVersion";
    // SAFETY: the function has this type in every version of the driver.
    let version = unsafe { library.get::<unsafe extern "C" fn(*mut i32) -> i32>(symbol) };
    let version = version.map_err(|_| missing(path, symbol))?;
    let mut number = 0;
    // SAFETY: the pointer is to a value of the type that is asked for.
    match Status(unsafe { version(&mut number) }) {
        Status::STUB_LIBRARY => Err(Reason::Stub { library: path.to_owned() }),
        Status::SUCCESS if number >= LEAST => Ok(()),
        Status::SUCCESS => Err(Reason::TooOld { library: path.to_owned(), version: number, least: LEAST }),
        code => {
            let what = format!("{symbol} answered {code}: {}", code.meaning());
            Err(Reason::Unusable { library: path.to_owned(), what })
        }
    }
}

fn missing(path: &Path, symbol: &str) -> Reason {
    Reason::Unusable { library: path.to_owned(), what: format!("it lacks the function {symbol}") }
}

fn has(library: &Library, symbol: &str) -> bool {
    // SAFETY: the symbol is only looked up.
    unsafe { library.get::<unsafe extern "C" fn()>(symbol) }.is_ok()
}

/// cudarc must open the same library.
fn check_name(symbols: &Symbols, path: &Path) -> Result<(), Reason> {
    let other = libraries::of_cudarc("cuda");
    let init = other.as_ref().and_then(|(library, name)| {
        // SAFETY: the function is only compared.
        let init = unsafe { library.get::<unsafe extern "C" fn(u32) -> i32>("cuInit") }.ok()?;
        Some((*init as usize, name))
    });
    let what = match init {
        Some((init, _)) if init == symbols.init as usize => return Ok(()),
        Some((_, name)) => format!(
            "the loader has another library as {name}; take its folder out of LD_LIBRARY_PATH, or put a folder first in \
             which {name} is a link to this one"
        ),
        None => "the loader does not find it again as libcuda.so.1, which it should call itself".to_owned(),
    };
    Err(Reason::Unusable { library: path.to_owned(), what })
}
