//! Weights from the mapped files into the device's memory. They pass through two page-locked buffers in turns: while one
//! is on its way over the bus, the other is filled from the file. The host never has more of the model than these two
//! and the pages that the system keeps of the file.

use std::collections::HashMap;
use std::thread;
use std::time::Instant;

use gapbench_cuda::{Buffer, Cuda, Event, Function, Pointer, Staging, Stream};

use super::damage::Damage;
use super::kernels::{Element, Kernels, cast, cast_grid};
use crate::{Dtype, Error, Tensor, Weights};

/// How the time of loading was spent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Loaded {
    /// Bytes of the files that went over the bus.
    pub bytes: u64,
    /// Pieces in which they went.
    pub pieces: usize,
    /// Seconds in all, from the first piece's filling to the last one's arrival.
    pub total_s: f64,
    /// Seconds in which the host filled buffers from the files.
    pub fill_s: f64,
    /// Seconds that the pieces were on their way, by the device's clock, added up. It overlaps with the filling, and a
    /// piece that waits for the one before it counts its wait.
    pub copy_s: f64,
    /// Seconds for loading the kernels before.
    pub kernels_s: f64,
}

/// A matrix as the products take it: `outputs` rows of `inputs` numbers.
#[derive(Debug)]
pub(super) struct Matrix {
    pub(super) data: Buffer<u8>,
    /// Of each row, f32, if the numbers are bytes.
    pub(super) scales: Option<Buffer<u8>>,
    pub(super) outputs: usize,
    pub(super) inputs: usize,
}

struct Lane {
    stream: Stream,
    staging: Staging<u8>,
    /// What is converted on the device arrives here.
    raw: Option<Buffer<u8>>,
}

pub(super) struct Loader<'a> {
    cuda: &'a Cuda,
    kernels: &'a Kernels,
    weights: &'a Weights,
    lanes: [Lane; 2],
    piece: usize,
    casts: HashMap<Element, Function>,
    damage: Damage,
    copies: Vec<(Event, Event)>,
    report: Loaded,
    begin: Instant,
}

#[allow(clippy::disallowed_methods, reason = "the phases of a load, which no test replaces")]
fn now() -> Instant {
    Instant::now()
}

/// Threads that read a file at once: beyond these the memory's bandwidth is reached.
const READERS: usize = 8;
/// Less than this is not worth a thread.
const PART: usize = 1 << 20;

/// Copies on several threads: one alone is slower than the bus, since each page of a mapped file is a fault.
fn copy(from: &[u8], to: &mut [u8]) {
    let readers = thread::available_parallelism().map_or(1, usize::from).min(READERS);
    let part = from.len().div_ceil(readers).max(PART);
    thread::scope(|scope| {
        let mut parts = from.chunks(part).zip(to.chunks_mut(part));
        let mine = parts.next();
        for (from, to) in parts {
            scope.spawn(|| to.copy_from_slice(from));
        }
        if let Some((from, to)) = mine {
            to.copy_from_slice(from);
        }
    });
}

/// What a tensor of numbers is stored as; nothing for bytes with scales.
fn element_of(dtype: Dtype) -> Option<Element> {
    Element::try_from(dtype).ok()
}

impl<'a> Loader<'a> {
    /// With two buffers of `piece` bytes.
    pub(super) fn new(
        cuda: &'a Cuda,
        kernels: &'a Kernels,
        weights: &'a Weights,
        piece: usize,
    ) -> Result<Self, Error> {
        // Whole numbers of any type, and accesses of 16 bytes.
        let piece = piece.next_multiple_of(64);
        let lane = || -> Result<Lane, Error> {
            Ok(Lane { stream: cuda.new_stream()?, staging: cuda.staging(piece)?, raw: None })
        };
        Ok(Self {
            cuda,
            kernels,
            weights,
            lanes: [lane()?, lane()?],
            piece,
            casts: HashMap::new(),
            damage: Damage::new(cuda, weights.names().count())?,
            copies: Vec::new(),
            report: Loaded::default(),
            begin: now(),
        })
    }

    /// Waits for all pieces, and says which of them holds a number that is none.
    pub(super) fn finish(mut self) -> Result<Loaded, Error> {
        self.settle()?;
        self.damage.finish(self.cuda, self.weights)?;
        self.report.total_s = self.begin.elapsed().as_secs_f64();
        for (begin, end) in &self.copies {
            self.report.copy_s += begin.elapsed(end)?;
        }
        Ok(self.report)
    }

    fn settle(&self) -> Result<(), Error> {
        Ok(self.lanes.iter().try_for_each(|lane| lane.stream.synchronize())?)
    }

    /// A tensor in the engine's type.
    pub(super) fn vector(&mut self, name: &str) -> Result<Buffer<u8>, Error> {
        self.stacked(&[self.weights.tensor(name)?])
    }

    /// Matrices with as many inputs each, one below the other. They stay bytes if all of them are.
    pub(super) fn matrix(&mut self, names: &[String], inputs: usize) -> Result<Matrix, Error> {
        let tensors: Vec<Tensor<'a>> =
            names.iter().map(|name| self.weights.tensor(name)).collect::<Result<_, Error>>()?;
        let outputs = tensors.iter().map(|tensor| tensor.shape.first().copied().unwrap_or(0)).sum();
        if tensors.iter().any(|tensor| tensor.dtype != Dtype::I8) {
            return Ok(Matrix { data: self.stacked(&tensors)?, scales: None, outputs, inputs });
        }
        let data = self.joined(&tensors, |tensor| tensor.bytes, None)?;
        let scales = Some(self.joined(&tensors, |tensor| tensor.scale, Some(Element::F32))?);
        Ok(Matrix { data, scales, outputs, inputs })
    }

    /// Parts of tensors as they are, one after the other; checked if they are elements.
    fn joined(
        &mut self,
        tensors: &[Tensor<'a>],
        part: fn(&Tensor<'a>) -> &'a [u8],
        element: Option<Element>,
    ) -> Result<Buffer<u8>, Error> {
        let to = self.allocate(tensors.iter().map(|tensor| part(tensor).len()).sum())?;
        let mut start = 0;
        for tensor in tensors {
            if let Some(element) = element {
                self.damage.begin(tensor.name, element);
            }
            self.copy(part(tensor), &to, start, element)?;
            start += part(tensor).len();
        }
        Ok(to)
    }

    /// Tensors in the engine's type, one after the other.
    fn stacked(&mut self, tensors: &[Tensor<'a>]) -> Result<Buffer<u8>, Error> {
        let element = self.kernels.element();
        let numbers = |tensor: &Tensor<'_>| tensor.shape.iter().product::<usize>();
        let to = self.allocate(tensors.iter().map(numbers).sum::<usize>() * element.bytes())?;
        let mut start = 0;
        for tensor in tensors {
            self.damage.begin(tensor.name, element);
            match element_of(tensor.dtype) {
                Some(stored) if stored == element => self.copy(tensor.bytes, &to, start, Some(element))?,
                Some(stored) => self.convert(tensor.bytes, stored, &to, start)?,
                None => self.widen(tensor, &to, start)?,
            }
            start += numbers(tensor) * element.bytes();
        }
        Ok(to)
    }

    /// Memory that all streams may use.
    fn allocate(&self, bytes: usize) -> Result<Buffer<u8>, Error> {
        let buffer = self.cuda.stream().allocate(bytes)?;
        self.cuda.synchronize()?;
        Ok(buffer)
    }

    /// The next piece: fills the lane whose turn it is.
    fn fill(&mut self, piece: &[u8]) -> Result<&mut Lane, Error> {
        self.lanes.rotate_left(1);
        let [lane, _] = &mut self.lanes;
        let place = lane.staging.values()?;
        // The wait above is the bus's time; this is the file's.
        let begin = now();
        if let Some(place) = place.get_mut(..piece.len()) {
            copy(piece, place);
        }
        self.report.fill_s += begin.elapsed().as_secs_f64();
        self.report.bytes += piece.len() as u64;
        self.report.pieces += 1;
        Ok(lane)
    }

    fn copy(
        &mut self,
        bytes: &[u8],
        to: &Buffer<u8>,
        mut start: usize,
        element: Option<Element>,
    ) -> Result<(), Error> {
        let cuda = self.cuda;
        for piece in bytes.chunks(self.piece) {
            let lane = self.fill(piece)?;
            let begin = lane.stream.record()?;
            lane.staging.send(&lane.stream, &to.view(start..start + piece.len())?)?;
            let end = lane.stream.record()?;
            if let Some(element) = element {
                let (stream, count) = (lane.stream.clone(), piece.len() / element.bytes());
                self.damage.check(cuda, &stream, to.ptr() + start as u64, count)?;
            }
            self.copies.push((begin, end));
            start += piece.len();
        }
        Ok(())
    }

    fn convert(
        &mut self,
        bytes: &[u8],
        from: Element,
        to: &Buffer<u8>,
        mut start: usize,
    ) -> Result<(), Error> {
        let (cuda, element) = (self.cuda, self.kernels.element());
        let kernel = match self.casts.get(&from) {
            Some(kernel) => kernel.clone(),
            None => {
                let Some(kernel) = cast(self.cuda, from, element)? else {
                    return self.copy(bytes, to, start, Some(element));
                };
                self.casts.insert(from, kernel.clone());
                kernel
            }
        };
        for piece in bytes.chunks(self.piece) {
            let (room, numbers) = (self.piece, piece.len() / from.bytes());
            let lane = self.fill(piece)?;
            let raw = match lane.raw.take() {
                Some(raw) => raw,
                None => lane.stream.allocate(room)?,
            };
            let begin = lane.stream.record()?;
            lane.staging.send(&lane.stream, &raw.view(0..piece.len())?)?;
            let end = lane.stream.record()?;
            let target = to.view(start..start + numbers * element.bytes())?;
            kernel.launch(&lane.stream, cast_grid(numbers), (&raw, &target, numbers as u64))?;
            lane.raw = Some(raw);
            let stream = lane.stream.clone();
            self.damage.check(cuda, &stream, target.ptr(), numbers)?;
            self.copies.push((begin, end));
            start += numbers * element.bytes();
        }
        Ok(())
    }

    /// Bytes with scales, as numbers.
    fn widen(&mut self, tensor: &Tensor<'a>, to: &Buffer<u8>, start: usize) -> Result<(), Error> {
        let rows = tensor.shape.first().copied().unwrap_or(0);
        let columns = tensor.bytes.len() / rows.max(1);
        let one = std::slice::from_ref(tensor);
        let (data, scales) =
            (self.joined(one, |tensor| tensor.bytes, None)?, self.joined(one, |tensor| tensor.scale, None)?);
        self.settle()?;
        let (cuda, target) = (self.cuda, to.ptr() + start as u64);
        self.kernels.dequantize(cuda.stream(), (rows, columns), &data, &scales, Pointer(target))?;
        self.damage.check(cuda, cuda.stream(), target, rows * columns)
    }
}
