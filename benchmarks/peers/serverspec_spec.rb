# uid, home and shell of each person in Serverspec over its docker backend: one property, one example.
require 'docker'
require 'json'
require 'serverspec'

# Debian 12 pairs docker-api 2.2 with an excon that takes the empty host of unix:/// for a host.
Docker.options = { host: nil }

set :backend, :docker
set :docker_url, ENV.fetch('DOCKER_HOST', 'unix:///var/run/docker.sock')
set :docker_container, ENV.fetch('BENCH_CONTAINER')

JSON.parse(File.read(ENV.fetch('BENCH_PEOPLE'))).each do |person|
  describe user(person['name']) do
    it { should have_uid person['uid'] }
    it { should have_home_directory person['home'] }
    it { should have_login_shell person['shell'] }
  end
end
